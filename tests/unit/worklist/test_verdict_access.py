"""Who may give a verdict and who may read it, and what other sites' pages cannot do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from db.access import accounts
from db.access.audit import AuditAction, entries
from db.session import Database
from db.tables import Image
from db.verdicts import verdicts_of
from readfirst.access.credentials import digest, hash_password, new_token
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.people import PASSWORD
from tests.support.studies import a_scored_image
from tests.unit.worklist.test_access import log_in
from worklist.app import make_app

HASHED, TOKEN = hash_password(PASSWORD), new_token()
API, FORM = "/api/v1/studies/1.1/verdicts", "/studies/1.1/verdict"
BODY = {"finding": "pneumonia", "verdicts_seen": 0, "images_seen": 1}
SENT = {"say": "pneumonia", "verdicts_seen": "0", "images_seen": "1"}
OWN = {"Sec-Fetch-Site": "same-origin"}
PEOPLE = [Role.READER, Role.LEAD, Role.ADMIN]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """A server with one flagged study and an account of each role."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        for role in Role:
            kept = {"token_sha256": digest(TOKEN)}
            if role is not Role.SERVICE:
                kept = {"password_hash": HASHED}
            accounts.add(session, accounts.NewAccount(name=role.value, role=role, **kept), NOW)
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


def accounts_of_verdicts(database: Database) -> list[str | None]:
    with database.read() as session:
        return [verdict.by for verdict in verdicts_of(session, "1.1")]


@pytest.mark.parametrize("role", PEOPLE)
def test_people_give_verdicts_in_their_own_name(
    client: TestClient, database: Database, role: Role
) -> None:
    assert log_in(client, role.value) == 303
    with database.read() as session:
        displayed = session.scalars(select(Image.sha256)).one()
    body = BODY | {"displayed_image": displayed}
    assert client.post(API, json=body, headers=OWN).status_code == 201
    token = re.findall(r'name="form_token" value="(\w+)"', client.get("/studies/1.1").text)[-1]
    again = SENT | {"verdicts_seen": "1", "form_token": token, "displayed": displayed}
    assert client.post(FORM, data=again, headers=OWN).status_code == 303
    assert accounts_of_verdicts(database) == [role.value, role.value]
    with database.read() as session:
        noted = [
            entry.account for entry in entries(session, limit=9) if entry.action == "verdict_given"
        ]
    assert noted == [role.value, role.value]


def test_a_program_reads_verdicts_and_gives_none(client: TestClient, database: Database) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get(API, headers=bearer).json() == []
    assert client.get("/api/v1/verdicts", headers=bearer).status_code == 200
    assert client.get("/studies/1.1", headers=bearer).status_code == 403
    assert client.post(API, json=BODY, headers=bearer).status_code == 403
    assert client.post(FORM, data=SENT, headers=bearer).status_code == 403
    assert accounts_of_verdicts(database) == []
    with database.read() as session:
        assert AuditAction.DENIED in {entry.action for entry in entries(session, limit=9)}


def test_nobody_gives_a_verdict_without_a_log_in(client: TestClient, database: Database) -> None:
    assert client.post(API, json=BODY, headers=OWN).status_code == 401
    assert client.post(FORM, data=SENT, headers=OWN).status_code == 401
    assert accounts_of_verdicts(database) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_page_of_another_site_gives_none(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    assert log_in(client, "reader") == 303
    assert client.post(API, json=BODY, headers=headers).status_code == 403
    assert client.post(FORM, data=SENT, headers=headers).status_code == 403
    assert accounts_of_verdicts(database) == []


def test_a_form_that_was_made_for_another_session_is_refused(
    client: TestClient, database: Database
) -> None:
    assert log_in(client, "reader") == 303
    for token in ({}, {"form_token": "0" * 64}, {"form_token": "é"}):
        assert client.post(FORM, data=SENT | token, headers=OWN).status_code == 403
    assert accounts_of_verdicts(database) == []


def test_a_page_that_displayed_no_film_of_the_study_gives_no_verdict(
    client: TestClient, database: Database
) -> None:
    assert log_in(client, "reader") == 303
    token = re.findall(r'name="form_token" value="(\w+)"', client.get("/studies/1.1").text)[-1]
    sent = SENT | {"form_token": token}
    for other in ({}, {"displayed": "0" * 64}, {"failed": "0" * 64}):
        answer = client.post(FORM, data=sent | other, headers=OWN)
        assert (answer.status_code, "not been displayed" in answer.text) == (409, True)
    for body in (BODY, BODY | {"displayed_image": "0" * 64}):
        assert client.post(API, json=body, headers=OWN).status_code == 409
    assert accounts_of_verdicts(database) == []


def test_programs_give_verdicts_without_a_film_as_before(
    settings: Settings, database: Database
) -> None:
    """They send no Sec-Fetch-Site; nobody has to log in here."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
    with TestClient(make_app(settings)) as program:
        assert program.post(API, json=BODY).status_code == 201


@pytest.fixture
def hiding(settings: Settings, database: Database) -> Iterator[TestClient]:
    """A site that hides what the AI says until the verdict, with a flagged study."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
    hides = settings.model_copy(update={"hide_ai_until_verdict": True})
    with TestClient(make_app(hides), follow_redirects=False) as opened:
        yield opened


def test_what_the_ai_says_is_hidden_from_pages_until_the_verdict_and_not_from_programs(
    hiding: TestClient, database: Database
) -> None:
    with database.read() as session:
        sha256 = session.scalars(select(Image.sha256)).one()
    study, maps = "/api/v1/studies/1.1", f"/api/v1/images/{sha256}/heat-maps"
    visible = hiding.get(study).json()["study"]
    assert (visible["probability"], visible["ai_hidden"]) == (0.9, False)
    assert hiding.get(maps).status_code == 200

    hidden = hiding.get(study, headers=OWN).json()
    assert hidden["study"]["ai_hidden"]
    for name in ("probability", "threshold", "ensemble_version", "deciding_image"):
        assert hidden["study"][name] is None
    assert (hidden["study"]["flagged"], hidden["study"]["members"]) == (False, {})
    assert hidden["scores"] == []
    assert {event["action"] for event in hidden["events"]}.isdisjoint({"scored", "flagged"})
    assert hiding.get(f"{study}/scores", headers=OWN).json() == []
    (row,) = hiding.get("/api/v1/worklist", headers=OWN).json()["studies"]
    assert (row["probability"], row["ai_hidden"]) == (None, True)
    for query in ({"flagged": "true"}, {"sort": "probability"}):
        assert hiding.get("/api/v1/worklist", params=query, headers=OWN).status_code == 409
        assert hiding.get("/api/v1/worklist", params=query).status_code == 200
    assert hiding.get(maps, headers=OWN).status_code == 403
    assert hiding.get(f"{maps}/grad_cam.png", headers=OWN).status_code == 403
    wish = {"method": "grad_cam"}
    assert hiding.post(maps, json=wish, headers=OWN).status_code == 403

    body = BODY | {"displayed_image": sha256}
    assert hiding.post(API, json=body, headers=OWN).json()["blind"]
    assert hiding.get(study, headers=OWN).json()["study"]["probability"] == 0.9
    assert hiding.get(maps, headers=OWN).status_code == 200
    again = hiding.post(API, json=body | {"verdicts_seen": 1}, headers=OWN)
    assert not again.json()["blind"], "its reader could see what the AI said"


def test_the_pages_hide_what_the_ai_says_and_neither_filter_nor_sort_by_it(
    hiding: TestClient,
) -> None:
    for page in ("/", "/studies/1.1", "/studies/1.1/film"):
        text = hiding.get(page).text
        for words in ("90 %", "0.90", "Pneumonia likely", "Not scored</span>", "is-flagged"):
            assert words not in text, page
    for query in ({"flagged": "true"}, {"sort": "probability"}):
        assert hiding.get("/", params=query).status_code == 409
    assert hiding.get("/", params={"flagged": "true", "show": "read"}).status_code == 200


def test_a_verdict_of_a_program_is_not_blind(hiding: TestClient) -> None:
    assert not hiding.post(API, json=BODY).json()["blind"]
