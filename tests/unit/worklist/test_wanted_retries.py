"""Try again: by page and API, for a lead, and followed to its end."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.people import add_people
from tests.support.studies import an_image
from tests.unit.worklist.test_access import NOW, log_in

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests of their own on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def refuse(database: Database, *codes: RefusalCode) -> list[int]:
    with database.write() as session:
        return [an_image(session, NOW, refusal=Refused(code)).id for code in codes]


def test_a_lead_tries_again_and_the_page_follows(client: TestClient, database: Database) -> None:
    number, _ = refuse(database, RefusalCode.TRUNCATED, RefusalCode.ADULT)
    add_people(database, NOW)
    log_in(client, "lead")
    page = client.get("/refused?code=truncated").text
    assert "Try all 1 again" in page
    token = page.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "code": "truncated"}
    answer = client.post("/refused/retry", data=form, headers=OWN, follow_redirects=False)
    assert answer.status_code == 303
    followed = answer.headers["location"]
    assert followed.startswith("/refused?code=truncated&tried=")
    page = client.get(followed).text
    assert "0 scored, 1 in work, 0 not scored again." in page
    assert "data-following" in page
    assert "trying again …" in page.split(f'id="image-{number}"')[1]
    assert "data-following" not in client.get("/refused").text
    assert client.post("/refused/retry", data={"form_token": "x"}, headers=OWN).status_code == 403


def test_a_reader_may_not(client: TestClient, database: Database) -> None:
    refuse(database, RefusalCode.TRUNCATED)
    add_people(database, NOW)
    log_in(client, "reader")
    assert "Try again" not in client.get("/refused").text
    assert client.post("/refused/retry", data={}, headers=OWN).status_code == 403


def test_programs_of_a_lead_do_the_same(client: TestClient, database: Database) -> None:
    number, _ = refuse(database, RefusalCode.TRUNCATED, RefusalCode.ADULT)
    path = "/api/v1/refusals/retries"
    answer = client.post(path, json={"image_id": number})
    assert (answer.status_code, answer.json()["images"]) == (202, 1)
    tried = answer.json()["tried"]
    outcome = client.get(path, params={"tried": tried}).json()
    assert outcome == {"waiting": 1, "in_work": 0, "scored": 0, "refused": 0}
    assert client.post(path, json={"all": True}).json()["images"] == 1, "the other one"
    for body in ({}, {"all": True, "code": "adult"}, {"image_id": 0}, {"code": "none"}):
        assert client.post(path, json=body).status_code == 422, body
    assert client.get(path, params={"tried": "nonsense"}).status_code == 422
