"""Not scored: pages, the film, the patient, all rows as CSV, and what nobody misses."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from db.access.audit import AuditAction, entries
from db.session import Database
from readfirst.errors import Refused
from readfirst.refusals import SENTENCES, RefusalCode
from tests.support.browsers import token_in
from tests.support.people import add_people
from tests.support.studies import a_header, a_scored_image, an_image
from tests.unit.worklist.test_access import NOW, log_in
from worklist.pages import refused

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests of their own on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def refuse(database: Database, count: int, code: RefusalCode, **values: Any) -> list[int]:
    with database.write() as session:
        return [
            an_image(session, NOW - timedelta(minutes=n), refusal=Refused(code), **values).id
            for n in range(count)
        ]


def test_every_row_is_on_one_of_the_pages(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "PAGE_ROWS", 3)
    monkeypatch.setattr(refused, "PIECE_ROWS", 2)
    expected = set(refuse(database, 5, RefusalCode.TRUNCATED)) | set(
        refuse(database, 2, RefusalCode.ADULT)
    )
    path, ranges, seen = "/refused", [], set()
    while path:
        page = client.get(path).text
        seen |= {int(each) for each in re.findall(r'<tr id="image-(\d+)"', page)}
        ranges += re.findall(r'class="page-range">([^<]*)', page)
        further = re.findall(r'href="([^"]*)" rel="next"', page)
        path = further[0].replace("&amp;", "&") if further else ""
    assert (seen, ranges) == (expected, ["1–3 of 7", "4–6 of 7", "7–7 of 7"])
    assert 'class="page-range">1–2 of 2' in client.get("/refused?code=adult").text
    assert client.get("/refused?cursor=nonsense").status_code == 422

    answer = client.get("/refused.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {int(row["image_id"]) for row in rows} == expected
    assert len(rows) == 7
    assert len(list(csv.reader(io.StringIO(client.get("/refused.csv?code=adult").text)))) == 3
    assert client.get("/refused.csv?code=too_large").text.count("\n") == 1, "the names alone"


def test_a_row_says_first_why_and_leads_to_the_study(
    client: TestClient, database: Database
) -> None:
    header = a_header(patient_name="Díaz^Lucía")
    refuse(database, 1, RefusalCode.TRUNCATED, study="1.1", header=header)
    page = client.get("/refused").text
    row = page.split("<tbody>")[1]
    sentence = SENTENCES[RefusalCode.TRUNCATED]
    assert row.index(sentence) < row.index("<code")
    assert re.search(r'<a class="open" href="/studies/1\.1">\s*Díaz, Lucía', row)
    assert "/original" in row
    record = client.get("/api/v1/refusals").json()["images"][0]
    assert record["patient_name"] == "Díaz^Lucía"
    assert record["read_at"] is None


def test_what_the_csv_has_is_noted(client: TestClient, database: Database) -> None:
    refuse(database, 1, RefusalCode.TRUNCATED, study="1.1")
    client.get("/refused.csv")
    with database.read() as session:
        entry = entries(session, limit=1, study_instance_uid="1.1")[0]
    assert entry.action == AuditAction.LIST_VIEWED


def test_what_nobody_misses_is_dismissed_with_a_note(
    client: TestClient, database: Database
) -> None:
    add_people(database, NOW)
    log_in(client, "reader")
    (number,) = refuse(database, 1, RefusalCode.EMPTY_FILE, study="1.1")
    assert "1 file could not be read" in client.get("/").text
    page = client.get("/refused").text
    form = {"note": "A test file.", "form_token": token_in(page), "back": "code=empty_file&"}
    path = f"/refused/{number}/dismiss"
    answer = client.post(path, data=form, headers=OWN, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/refused?code=empty_file&#image-{number}"
    assert "read or dismissed" in client.get("/refused").text
    assert "could not be read" not in client.get("/").text
    verdicts = client.get("/api/v1/studies/1.1/verdicts").json()
    assert [(each["by"], each["finding"], each["comment"]) for each in verdicts] == [
        ("reader", None, "A test file.")
    ]
    with database.read() as session:
        actions = [each.action for each in entries(session, limit=50, study_instance_uid="1.1")]
    assert AuditAction.VERDICT_GIVEN in actions
    old = client.post(path, data=form | {"form_token": "old"}, headers=OWN)
    assert old.status_code == 403
    gone = client.post("/refused/9999/dismiss", data=form, headers=OWN)
    assert gone.status_code == 404
    away = client.post(path, data=form | {"back": "\nX: y"}, headers=OWN, follow_redirects=False)
    assert away.headers["location"] == f"/refused#image-{number}"


def test_a_study_with_another_image_is_read_and_not_dismissed(
    client: TestClient, database: Database
) -> None:
    (number,) = refuse(database, 1, RefusalCode.TRUNCATED, study="1.1")
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
    form = {"form_token": ""}
    answer = client.post(f"/refused/{number}/dismiss", data=form, headers=OWN)
    assert answer.status_code == 409
    assert client.get("/api/v1/studies/1.1").json()["study"]["read_at"] is None


def test_a_file_without_a_film_takes_no_finding(client: TestClient, database: Database) -> None:
    refuse(database, 1, RefusalCode.NOT_AN_IMAGE, study="1.1")
    page = client.get("/studies/1.1").text
    assert 'value="pneumonia"' not in page
    assert "Dismiss: there is no film" in page
    assert client.get("/api/v1/worklist").json()["studies"] == []
    path = "/api/v1/studies/1.1/verdicts"
    seen = {"verdicts_seen": 0, "images_seen": 1}
    refusal = client.post(path, json=seen | {"finding": "pneumonia"})
    assert refusal.status_code == 409
    assert "no finding" in refusal.json()["detail"]
    assert client.post(path, json=seen).status_code == 201, "it may be dismissed"
