"""Who may give a verdict and who may read it, and what other sites' pages cannot do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db import accounts
from db.audit import Action, entries
from db.session import Database
from db.verdicts import verdicts_of
from readfirst.credentials import digest, hash_password, new_token
from readfirst.roles import Role
from readfirst.settings import Settings
from tests.db.builders import a_scored_image
from tests.worklist.conftest import NOW
from tests.worklist.test_access import PASSWORD, log_in
from worklist.app import make_app

HASHED, TOKEN = hash_password(PASSWORD), new_token()
API, FORM = "/api/v1/studies/1.1/verdicts", "/studies/1.1/verdict"
BODY = {"finding": "pneumonia", "verdicts_seen": 0, "images_seen": 1}
SENT = {"say": "pneumonia", "verdicts_seen": "0", "images_seen": "1"}
OWN = {"Sec-Fetch-Site": "same-origin"}
PEOPLE = [Role.READER, Role.LEAD, Role.ADMIN]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """What the two kinds of database do is seen in `tests/db`."""
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


def given(database: Database) -> list[str | None]:
    with database.read() as session:
        return [verdict.by for verdict in verdicts_of(session, "1.1")]


@pytest.mark.parametrize("role", PEOPLE)
def test_people_give_verdicts_in_their_own_name(
    client: TestClient, database: Database, role: Role
) -> None:
    assert log_in(client, role.value) == 303
    assert client.post(API, json=BODY, headers=OWN).status_code == 201
    token = re.findall(r'name="form_token" value="(\w+)"', client.get("/studies/1.1").text)[-1]
    again = SENT | {"verdicts_seen": "1", "form_token": token}
    assert client.post(FORM, data=again, headers=OWN).status_code == 303
    assert given(database) == [role.value, role.value]
    with database.read() as session:
        noted = [one.account for one in entries(session, limit=9) if one.action == "verdict_given"]
    assert noted == [role.value, role.value]


def test_a_program_reads_verdicts_and_gives_none(client: TestClient, database: Database) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get(API, headers=bearer).json() == []
    assert client.get("/api/v1/verdicts", headers=bearer).status_code == 200
    assert client.get("/studies/1.1", headers=bearer).status_code == 403
    assert client.post(API, json=BODY, headers=bearer).status_code == 403
    assert client.post(FORM, data=SENT, headers=bearer).status_code == 403
    assert given(database) == []
    with database.read() as session:
        assert Action.DENIED in {one.action for one in entries(session, limit=9)}


def test_nobody_gives_a_verdict_without_a_log_in(client: TestClient, database: Database) -> None:
    assert client.post(API, json=BODY, headers=OWN).status_code == 401
    assert client.post(FORM, data=SENT, headers=OWN).status_code == 401
    assert given(database) == []


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
    assert given(database) == []


def test_a_form_that_was_made_for_another_session_is_refused(
    client: TestClient, database: Database
) -> None:
    assert log_in(client, "reader") == 303
    for token in ({}, {"form_token": "0" * 64}, {"form_token": "é"}):
        assert client.post(FORM, data=SENT | token, headers=OWN).status_code == 403
    assert given(database) == []
