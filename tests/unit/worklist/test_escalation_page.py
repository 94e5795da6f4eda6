"""A study that was escalated says so, and is acknowledged by a button or by the API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.escalation.acknowledge import escalation_of
from db.escalation.escalate import EscalationPolicy, escalate_due
from db.lifecycle.outbox import Channel
from db.session import Database
from readfirst.settings import Settings
from tests.support.people import TOKEN, add_people
from tests.support.studies import a_scored_image, lifecycle
from tests.unit.worklist.test_access import log_in
from worklist.app import make_app

NOW = datetime.now(UTC)
PAGE, API = "/studies/1.1", "/api/v1/studies/1.1/acknowledgement"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db/test_escalation.py`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of a reader, and an escalated study."""
    with database.write() as session:
        a_scored_image(session, NOW - timedelta(hours=1), probability=0.9, study="1.1")
        a_scored_image(session, NOW, probability=0.1, study="1.2")
    add_people(database, NOW)
    rule = EscalationPolicy(
        after=timedelta(minutes=30), stat=True, flagged=True, channels=(Channel.MAIL,)
    )
    with lifecycle(database, NOW) as unit:
        assert escalate_due(unit, rule) == 1
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        assert log_in(opened, "reader") == 303
        yield opened


def form_token(page: str) -> str:
    return page.split('name="form_token" value="')[1].split('"')[0]


def test_the_page_says_it_until_it_is_acknowledged(client: TestClient, database: Database) -> None:
    page = client.get(PAGE).text
    assert "Escalated at" in page
    assert "Escalated: urgent and unread for 30 min" in page
    assert client.post(f"{PAGE}/acknowledgement", headers=OWN).status_code == 403
    sent = {"form_token": form_token(page)}
    answer = client.post(f"{PAGE}/acknowledgement", data=sent, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = client.get(PAGE).text
    assert "Escalated at" not in page
    assert "Escalation acknowledged by reader" in page
    with database.read() as session:
        record = escalation_of(session, "1.1")
    assert record is not None
    assert record.acknowledged_by == "reader"
    assert "Escalat" not in client.get("/studies/1.2").text


def test_a_program_of_a_reader_acknowledges_too(client: TestClient) -> None:
    assert client.post(API, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 403
    answer = client.post(API, headers=OWN)
    assert answer.status_code == 200
    assert answer.json()["acknowledged_by"] == "reader"
    assert client.post(API, headers=OWN).json() == answer.json()
    assert client.post(API.replace("1.1", "1.2"), headers=OWN).status_code == 409
    assert client.post(API.replace("1.1", "9.9"), headers=OWN).status_code == 404
