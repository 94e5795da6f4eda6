"""Destinations as an administrator sees them: what waits, what was given up, tried, sent again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.session import Database
from readfirst.access.roles import Role
from readfirst.destinations.forms import Form
from readfirst.settings import Settings
from readfirst.tasks.names import TaskName
from tests.support.browsers import FORM, logged_in
from tests.support.destinations import a_destination, give_up_one, outgoing
from tests.support.studies import NOW, a_scored_image
from worklist.app import make_app

PAGE, API = "/admin/destinations", "/api/v1/admin/destinations"


@pytest.fixture
def tasks() -> list[TaskName]:
    """The tasks that the workers were told of."""
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    path.mkdir()
    return path


@pytest.fixture
def client(
    settings: Settings, database: Database, tasks: list[TaskName], folder: Path
) -> Iterator[TestClient]:
    """The browser of an admin. Of two results for `share`, one was given up and the other waits."""
    with database.write() as session:
        a_destination(session, "share", Form.SR, address={"path": str(folder)})
        for uid in ("1.1", "1.2"):
            a_scored_image(session, NOW, probability=0.9, study=uid)
        give_up_one(session, NOW, "The disk is <full>.", "no answer")
    app = make_app(settings, tasks.append)
    with logged_in(app, database, Role.ADMIN) as opened:
        yield opened


def act(client: TestClient, action: str, result: int | None = None) -> str:
    form = FORM | {"action": action} | ({} if result is None else {"result": str(result)})
    answer = client.post(f"{PAGE}/share", data=form)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def states(database: Database) -> list[str]:
    with database.read() as session:
        return [state for _, _, state in outgoing(session)]


def test_what_waits_and_what_was_given_up_is_listed_with_its_reason(client: TestClient) -> None:
    text = client.get(PAGE).text
    assert "The disk is &lt;full&gt;." in text
    assert "no answer" in text
    assert 'href="/studies/1.1"' in text
    site = client.get(API).json()
    (status,) = site["destinations"]
    assert status["destination"]["name"] == "share"
    assert (status["counts"]["waiting"], status["counts"]["given_up"]) == (1, 1)
    assert [row["study_instance_uid"] for row in site["given_up"]] == ["1.1"]
    assert [row["reason"] for row in site["waiting"]] == ["no answer"]


def test_looking_is_noted_with_the_studies(client: TestClient, database: Database) -> None:
    client.get(PAGE)
    with database.read() as session:
        entry = entries(session, limit=1)[0]
    assert entry.action == "admin_viewed"
    assert set(entry.detail["studies"]) == {"1.1", "1.2"}


def test_a_destination_is_tried(
    client: TestClient, database: Database, folder: Path, tasks: list[TaskName]
) -> None:
    assert f"A file can be written into {folder}." in act(client, "test")
    folder.rmdir()
    assert f"The folder {folder} is not there." in act(client, "test")
    answer = client.post(f"{API}/share/actions", json={"action": "test"})
    assert answer.status_code == 200
    assert answer.json()["well"] is False
    assert tasks == []
    with database.read() as session:
        assert "destination_tested" in {entry.action for entry in entries(session, limit=2)}


def test_what_was_given_up_is_sent_again_all_or_by_its_number(
    client: TestClient, database: Database, tasks: list[TaskName]
) -> None:
    assert "Sent again to share within seconds: 1." in act(client, "send_again")
    assert states(database) == ["waiting", "waiting"]
    assert tasks == [TaskName.SEND]
    answer = client.post(f"{API}/share/actions", json={"action": "send_again", "result": 1})
    assert answer.status_code == 404
    assert "no result 1 that is not waiting anyway" in answer.json()["detail"]


def test_a_single_result_is_sent_again(client: TestClient, database: Database) -> None:
    number = client.get(API).json()["given_up"][0]["number"]
    assert "Sent again to share within seconds: 1." in act(client, "send_again", number)
    assert states(database) == ["waiting", "waiting"]


def test_a_destination_is_switched_off_and_on(client: TestClient, database: Database) -> None:
    assert "share gets no results." in act(client, "disable")
    assert client.get(API).json()["destinations"][0]["destination"]["enabled"] is False
    assert "share gets results, those first that wait." in act(client, "enable")
    with database.read() as session:
        noted = [entry.action for entry in entries(session, limit=9)]
    assert "destination_disabled" in noted
    assert "destination_enabled" in noted


def test_what_is_not_there_is_not_acted_on(client: TestClient) -> None:
    for action in ("test", "enable", "disable", "send_again"):
        assert client.post(f"{API}/other/actions", json={"action": action}).status_code == 404
        assert client.post(f"{PAGE}/other", data=FORM | {"action": action}).status_code == 404
    assert client.post(f"{API}/share/actions", json={"action": "remove"}).status_code == 422


def test_where_there_is_no_destination_the_page_says_so(
    settings: Settings, database: Database
) -> None:
    with TestClient(make_app(settings, lambda _: None)) as client:
        assert "There is no destination" in client.get(PAGE).text


def test_metrics_tell_how_each_destination_does(client: TestClient) -> None:
    text = client.get("/metrics").text
    assert 'readfirst_results_waiting{destination="share"} 1.0' in text
    assert 'readfirst_results_given_up{destination="share"} 1.0' in text
    assert 'readfirst_results_sent{destination="share"} 0.0' in text
    assert re.search(r'readfirst_oldest_result_seconds\{destination="share"\} [1-9]', text)
