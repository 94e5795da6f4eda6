"""Pages of other origins and DICOMweb: those that the site names, by a token alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.settings import Settings
from tests.support.people import TOKEN, add_people
from worklist.app import make_app

VIEWER = "https://viewer.example"
ASKED_BEFORE = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}
OF_PROGRAM = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/dicom-web/studies"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    add_people(database, datetime.now(UTC))
    named = settings.model_copy(update={"dicomweb_origins": (VIEWER,)})
    with TestClient(make_app(named)) as opened:
        yield opened


def test_a_named_viewer_asks_beforehand_and_reads_by_its_token(client: TestClient) -> None:
    before = client.options(PATH, headers={"Origin": VIEWER} | ASKED_BEFORE)
    assert before.status_code == 204
    assert before.headers["Access-Control-Allow-Origin"] == VIEWER
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    read = client.get(PATH, headers={"Origin": VIEWER} | OF_PROGRAM)
    assert read.status_code == 204
    assert read.headers["Access-Control-Allow-Origin"] == VIEWER
    assert "Origin" in read.headers["Vary"]
    without = client.get(PATH, headers={"Origin": VIEWER, "Accept": "application/json"})
    assert without.status_code == 401
    assert without.headers["Access-Control-Allow-Origin"] == VIEWER


def test_no_page_is_let_in_by_the_cookie_of_a_person(client: TestClient) -> None:
    for headers in (ASKED_BEFORE, OF_PROGRAM):
        method = "OPTIONS" if headers is ASKED_BEFORE else "GET"
        answer = client.request(method, PATH, headers={"Origin": VIEWER} | headers)
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "path"),
    [("https://other.example", PATH), ("null", PATH), (VIEWER, "/api/v1/worklist")],
)
def test_no_other_page_reads_and_nothing_else_is_read(
    client: TestClient, origin: str, path: str
) -> None:
    before = client.options(path, headers={"Origin": origin} | ASKED_BEFORE)
    read = client.get(path, headers={"Origin": origin} | OF_PROGRAM)
    for answer in (before, read):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert before.status_code == 401


def test_without_the_setting_no_page_reads(settings: Settings, database: Database) -> None:
    add_people(database, datetime.now(UTC))
    with TestClient(make_app(settings)) as client:
        read = client.get(PATH, headers={"Origin": VIEWER} | OF_PROGRAM)
    assert "Access-Control-Allow-Origin" not in read.headers
