"""The page of a night, and the same for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.access.login_sessions import open_session
from db.nights.counting import RankingScore, Rescored, count_rescored
from db.nights.running import NewNight, begin_night
from db.session import Database
from readfirst.access.credentials import digest
from readfirst.settings import Settings
from tests.support.people import add_people
from tests.support.studies import NOW, a_header, a_scored_image
from worklist.app import make_app

SECRET = "a secret of the lead's browser"
CHANGES = {
    "newly_flagged": (RankingScore("0", 0.12, False), RankingScore("1", 0.85, True)),
    "withdrawn": (RankingScore("0", 0.9, True), RankingScore("1", 0.2, False)),
}


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of a lead, after a night that changed two studies."""
    now = datetime.now(UTC)
    add_people(database, now)
    with database.write() as session:
        open_session(session, "lead", digest(SECRET), now, "10.0.0.7")
        for change, (before, after) in CHANGES.items():
            header = a_header(patient_name=f"Ruiz^{change}", manufacturer="Acme")
            probability = after.probability or 0.0
            image = a_scored_image(
                session, NOW, probability=probability, study=f"1.{len(change)}", header=header
            )
            new = NewNight(day=NOW.date(), planned=True, ensemble_version="1", left=2)
            if change == "newly_flagged":
                begin_night(session, new, NOW)
            rescored = {image.study_id: Rescored(before, after, was_read=False)}
            count_rescored(session, rescored, scored=1, failed=0, at=NOW)
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        opened.cookies.set("readfirst", SECRET)
        yield opened


def test_the_page_lists_what_changed_and_notes_whose_data_it_shows(
    client: TestClient, database: Database
) -> None:
    page = client.get("/watching/night").text
    for words in ("Newly flagged: 1", "Flag withdrawn: 1", "For a second look: 0", "12 % → 85 %"):
        assert words in page.replace("\N{NO-BREAK SPACE}", " ")
    assert 'href="/studies/1.13"' in page
    assert "Ruiz, newly_flagged" in page
    assert "READFIRST_SECOND_LOOK" in page
    with database.read() as session:
        last = entries(session, limit=1)[0]
    assert (last.account, last.action) == ("lead", "watching_viewed")
    assert set(last.detail["studies"]) == {"1.13", "1.9"}


def test_programs_get_nights_reports_and_lists(client: TestClient) -> None:
    (night,) = client.get("/api/v1/nights").json()
    address = f"/api/v1/nights/{night['number']}"
    report = client.get(address).json()
    assert report["counts"] == {
        "studies": 2,
        "newly_flagged": 1,
        "withdrawn": 1,
        "second_look": 0,
    }
    assert {"scanner", "population", "ensembles"} == {group["kind"] for group in report["groups"]}
    (row,) = client.get(f"{address}/studies").json()
    assert (row["study_instance_uid"], row["scanner"], row["unread"]) == ("1.13", "Acme", True)
    csv = client.get(f"{address}/studies", params={"change": "withdrawn", "format": "csv"}).text
    assert csv.splitlines()[0].startswith("change,number,study_instance_uid")
    assert client.get("/api/v1/nights", params={"format": "csv"}).text.startswith("number,day")


def test_a_night_that_never_was_is_not_there(client: TestClient) -> None:
    for path in ("/watching/night?number=99", "/api/v1/nights/99", "/api/v1/nights/99/studies"):
        assert client.get(path).status_code == 404


def test_without_a_night_the_page_says_so(settings: Settings, database: Database) -> None:
    with TestClient(make_app(settings)) as opened:
        assert "No night has scored anything again yet." in opened.get("/watching/night").text
