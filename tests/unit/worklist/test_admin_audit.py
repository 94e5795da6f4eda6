"""The audit log on its page and in the API: searched, paged, as CSV; and looking is noted."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from db.access.audit import Actor, AuditAction, entries, note
from db.access.audit_search import SLICE, AuditFilter, every_line, search_audit
from db.session import Database

NOW = datetime.now(UTC)
API, PAGE, FILE = "/api/v1/admin/audit", "/admin/audit", "/admin/audit.csv"
LEA, MAX = Actor("lea", "10.0.0.7"), Actor("max", None)


@pytest.fixture
def log(database: Database) -> None:
    """Lines of two people."""
    with database.write() as session:
        note(session, LEA, AuditAction.LOGGED_IN, NOW - timedelta(days=3))
        seen = AuditAction.STUDY_VIEWED
        note(session, LEA, seen, NOW - timedelta(days=2), study_instance_uid="1.2")
        listed = AuditAction.LIST_VIEWED
        note(session, MAX, listed, NOW - timedelta(days=1), studies=["1.2", "1.3"])


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("account=lea", ["study_viewed", "logged_in"]),
        ("account=LEA&action=logged_in", ["logged_in"]),
        ("study=1.2", ["list_viewed", "study_viewed"]),
        ("study=1.3", ["list_viewed"]),
        ("account=nobody", []),
    ],
)
def test_lines_are_searched_on_the_page_in_the_file_and_in_the_api(
    client: TestClient, query: str, actions: list[str]
) -> None:
    rows = client.get(f"{API}?{query}").json()["entries"]
    assert [row["action"] for row in rows] == actions
    filed = csv.DictReader(io.StringIO(client.get(f"{FILE}?{query}").text))
    assert [row["action"] for row in filed] == actions
    page = client.get(f"{PAGE}?{query}&from=&to=").text
    assert ("No line matches." in page) == (not actions)


@pytest.mark.usefixtures("log")
def test_a_day_is_of_the_sites_zone_and_both_ends_are_included(client: TestClient) -> None:
    day = (NOW - timedelta(days=2)).date()
    text = client.get(f"{PAGE}?from={day}&to={day}&account=lea").text
    assert ("study viewed</td>" in text, "logged in</td>" in text) == (True, False)
    since = (NOW - timedelta(days=2, hours=1)).isoformat().replace("+00:00", "Z")
    rows = client.get(f"{API}?since={since}&account=lea").json()["entries"]
    assert [row["action"] for row in rows] == ["study_viewed"]
    assert client.get(f"{PAGE}?from=yesterday").status_code == 422
    assert client.get(f"{API}?since=0").status_code == 422


def test_looking_is_noted_each_time(client: TestClient, database: Database) -> None:
    for path in (PAGE, FILE, API, f"{API}?format=csv"):
        assert client.get(path).status_code == 200
    with database.read() as session:
        rows = entries(session, limit=10)
    assert [row.action for row in rows] == [AuditAction.AUDIT_VIEWED] * 4


def test_pages_and_the_file_have_every_line_once(client: TestClient, database: Database) -> None:
    with database.write() as session:
        for number in range(SLICE + 250):
            note(session, LEA, AuditAction.UPLOADED, NOW, number=number)
    newest, wanted = SLICE + 249, "account=lea&action=uploaded"
    page = client.get(f"{PAGE}?{wanted}").text
    assert page.count("number: ") == 100
    assert f"number: {newest}<" in page
    older = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert f"number: {newest - 100}<" in client.get(older).text
    numbers, cursor = [], ""
    while True:
        answer = client.get(f"{API}?{wanted}&limit=500{cursor}").json()
        numbers += [row["detail"]["number"] for row in answer["entries"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert numbers == list(range(newest, -1, -1))
    assert len(client.get(f"{FILE}?{wanted}").text.splitlines()) == SLICE + 250 + 1


@pytest.mark.usefixtures("log")
def test_a_long_search_keeps_no_transaction_open(database: Database) -> None:
    rows = every_line(database, AuditFilter(account="lea"))
    assert next(rows).action == AuditAction.STUDY_VIEWED
    with database.write() as session:
        note(session, LEA, AuditAction.LOGGED_OUT, NOW)
    assert [row.action for row in rows] == [AuditAction.LOGGED_IN]
    with database.read() as session:
        latest = search_audit(session, AuditFilter(), limit=1)
    assert latest[0].record.action == AuditAction.LOGGED_OUT


def test_a_cell_that_looks_like_a_formula_is_none(client: TestClient, database: Database) -> None:
    with database.write() as session:
        note(session, Actor("=1+1", None), AuditAction.LOGGED_IN, NOW)
    assert ",=1+1," not in client.get(FILE).text
