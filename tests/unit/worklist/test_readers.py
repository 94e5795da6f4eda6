"""Page, list and API say who has a study open."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.session import Database
from db.worklist.readers import OpenPage, StudyReader, note_open
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.people import TOKEN, add_people
from tests.support.studies import a_scored_image
from tests.unit.worklist.test_access import log_in
from worklist.app import make_app
from worklist.services.current_readers import ReadersChanged, ReadersFollower
from worklist.services.reader_texts import ANOTHER_WINDOW, reader_text

PROGRAM = {"Authorization": f"Bearer {TOKEN}"}
OWN = {"Sec-Fetch-Site": "same-origin"}
MINE, OTHER = "0" * 32, "1" * 32


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db/test_readers.py`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """A server with two unread studies."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        a_scored_image(session, NOW, probability=0.1, study="1.2")
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def reader(client: TestClient, database: Database) -> TestClient:
    """The browser of the reader, where everybody has to log in."""
    add_people(database, NOW)
    assert log_in(client, "reader") == 303
    return client


def sign(client: TestClient, tab: str = MINE, study: str = "1.1", **values: str) -> str:
    data = {"tab": tab} | values
    answer = client.post(f"/studies/{study}/readers", data=data, headers=OWN)
    assert answer.status_code == 200, answer.text
    return answer.text


def opens(database: Database, account: str | None, study: str, tab: str = OTHER) -> None:
    page = OpenPage(study_instance_uid=study, tab=tab, account=account)
    with database.write() as session:
        assert note_open(session, page, datetime.now(UTC))


def api(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/v1/worklist/{path}", headers=PROGRAM)
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_readers(*names: str | None) -> list[StudyReader]:
    return [StudyReader(by=name, since=NOW) for name in names]


@pytest.mark.parametrize(
    ("names", "mine", "text"),
    [
        ([], False, ""),
        (["lea"], False, "lea is reading"),
        (["lea", "adam"], False, "lea is reading; adam has it open too"),
        (["lea", "me", "adam", "eve"], False, "lea is reading; adam and eve have it open too"),
        (["lea", "a", "b", "c"], False, "lea is reading; 3 others have it open"),
        (["me", "lea"], False, "lea has it open too"),
        (["lea", "adam"], True, "lea and adam have it open too"),
        (["me"], False, ANOTHER_WINDOW),
        ([None], False, ANOTHER_WINDOW),
    ],
)
def test_the_sentence_names_who_reads_and_who_looks_too(
    names: list[str | None], mine: bool, text: str
) -> None:
    assert reader_text(as_readers(*names), "me", mine=mine) == text


def test_without_accounts_another_window_is_all_that_is_known(client: TestClient) -> None:
    assert sign(client) == ""
    assert sign(client, OTHER) == ANOTHER_WINDOW
    assert ANOTHER_WINDOW in client.get("/").text
    assert client.get("/next").headers["location"] == "/studies/1.1"
    assert sign(client, MINE, left="true") == ANOTHER_WINDOW
    assert sign(client, OTHER) == ""


def test_page_and_row_name_the_other_reader(reader: TestClient, database: Database) -> None:
    opens(database, "lead", "1.1")
    assert sign(reader) == "lead is reading"
    assert reader.get("/rows").text.count("lead is reading") == 1
    opens(database, "admin", "1.2", tab="2" * 32)
    assert sign(reader, tab="3" * 32, study="1.2") == "admin is reading"


def test_whoever_came_first_is_told_of_who_looks_too(
    reader: TestClient, database: Database
) -> None:
    sign(reader)
    opens(database, "lead", "1.1")
    assert sign(reader) == "lead has it open too"
    # A second window of the same person is no other person.
    assert sign(reader, "2" * 32) == "lead has it open too"


def test_next_leads_past_what_another_reads_and_says_when_nothing_else_is_left(
    reader: TestClient, database: Database
) -> None:
    sign(reader)
    assert reader.get("/next").headers["location"] == "/studies/1.1"
    sign(reader, left="true")
    opens(database, "lead", "1.1")
    assert reader.get("/next").headers["location"] == "/studies/1.2"
    page = reader.get("/next", params={"after": "1.2"})
    assert page.status_code == 200
    assert "All unread studies are being read by others" in page.text
    assert "lead is reading" in page.text
    assert 'href="/studies/1.1">Open the first anyway?' in page.text


def test_programs_are_told_who_reads_and_what_is_next(
    reader: TestClient, database: Database
) -> None:
    opens(database, "lead", "1.1")
    (open_study,) = api(reader, "readers")
    assert open_study["study_instance_uid"] == "1.1"
    assert [each["by"] for each in open_study["readers"]] == ["lead"]
    for after, uid, reason in ((None, "1.2", "behind"), ("1.2", "1.1", "read_by_others")):
        body: dict[str, Any] = {"after": after, "visited": []}
        answer = reader.post("/api/v1/worklist/next", json=body, headers=PROGRAM)
        assert answer.json() == {"study_instance_uid": uid, "reason": reason}


def test_a_sign_of_life_is_nobodys_doing_and_no_disclosure(
    reader: TestClient, database: Database
) -> None:
    with database.read() as session:
        before = len(entries(session, limit=1000))
    sign(reader)
    with database.read() as session:
        assert len(entries(session, limit=1000)) == before


@pytest.mark.parametrize(
    ("study", "tab", "status"), [("9.9", MINE, 404), ("1.1", "x", 422), ("1.1", "", 422)]
)
def test_what_is_no_sign_of_life_is_refused(
    client: TestClient, study: str, tab: str, status: int
) -> None:
    answer = client.post(f"/studies/{study}/readers", data={"tab": tab})
    assert answer.status_code == status


def test_a_page_of_another_site_opens_nothing(reader: TestClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = reader.post("/studies/1.1/readers", data={"tab": MINE}, headers=foreign)
    assert answer.status_code == 403


def test_a_stream_tells_of_changes_and_not_of_what_was_so_before() -> None:
    follower = ReadersFollower()
    lea = tuple(as_readers("lea"))
    assert follower.changes({"1.1": lea}) == []
    assert follower.changes({"1.1": lea}) == []
    assert follower.changes({"1.1": lea, "1.2": lea}) == [
        ReadersChanged(study_instance_uid="1.2", readers=lea)
    ]
    assert follower.changes({"1.2": lea}) == [ReadersChanged(study_instance_uid="1.1", readers=())]


def test_a_stream_tells_of_each_further_window_and_names_its_reader_once() -> None:
    follower = ReadersFollower()
    single, double = (tuple(as_readers(*[None] * windows)) for windows in (1, 2))
    assert follower.changes({"1.1": single}) == []
    for windows in (double, single):
        assert follower.changes({"1.1": windows}) == [
            ReadersChanged(study_instance_uid="1.1", readers=single)
        ]
    assert follower.changes({"1.1": single[:]}) == []
