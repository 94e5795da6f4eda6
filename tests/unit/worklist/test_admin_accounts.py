"""Accounts as an administrator changes them: forms, API, what is noted, and the last admin."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from db.access.audit import AuditAction, entries
from db.access.login_attempts import account_key, begin
from db.access.login_sessions import open_session
from db.session import Database
from readfirst.access.credentials import digest
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.browsers import FORM, OWN, logged_in, token_in
from tests.support.people import PASSWORD, TOKEN
from worklist.app import make_app
from worklist.security.access_policy import access_policy

NOW = datetime.now(UTC)
ACCOUNTS = "/api/v1/admin/accounts"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of an admin who is logged in; there is an account of each role."""
    with logged_in(make_app(settings), database, Role.ADMIN) as opened:
        yield opened


def change(client: TestClient, name: str, change: str, **values: str) -> tuple[int, str]:
    answer = client.post(f"/admin/accounts/{name}", data=FORM | {"change": change} | values)
    return answer.status_code, answer.text


def account(client: TestClient, name: str) -> Any:
    return next(row for row in client.get(ACCOUNTS).json() if row["name"] == name)


def noted(database: Database, action: AuditAction) -> list[tuple[str | None, dict[str, Any]]]:
    with database.read() as session:
        rows = entries(session, limit=100)
    return [(row.account, row.detail) for row in rows if row.action == action]


def test_an_account_is_added_and_its_password_is_shown_once(
    client: TestClient, database: Database
) -> None:
    added = client.post("/admin/accounts", data=FORM | {"name": "Lea", "role": "lead"})
    assert added.status_code == 200
    assert "Account &#34;lea&#34; added with role lead." in added.text
    (password,) = re.findall(r"<code>(\S+)</code>", added.text)
    assert password not in client.get("/admin/accounts").text
    assert noted(database, AuditAction.ACCOUNT_ADDED) == [
        ("admin", {"subject": "lea", "role": "lead"})
    ]
    client.cookies.clear()
    form = token_in(client.get("/login").text)
    sent = {"name": "lea", "password": password, "form_token": form}
    assert client.post("/login", data=sent).status_code == 303


def test_the_password_that_the_admin_chose_is_shown_nowhere(client: TestClient) -> None:
    values = {"name": "lea", "role": "reader", "password": "seven plain words here"}
    added = client.post("/admin/accounts", data=FORM | values).text
    assert "added with role reader" in added
    assert "seven plain words" not in added
    again = client.post("/admin/accounts", data=FORM | values)
    assert again.status_code == 422
    assert "There is an account lea already." in again.text
    short = client.post("/admin/accounts", data=FORM | {"name": "bo", "password": "short"})
    assert (short.status_code, "12 to 256 characters" in short.text) == (422, True)


def test_the_last_admin_is_neither_disabled_nor_demoted(
    client: TestClient, database: Database
) -> None:
    for refused in (
        change(client, "admin", "disable"),
        change(client, "admin", "role", role="lead"),
    ):
        assert refused[0] == 422
        assert "is the last admin and stays one" in refused[1]
    assert change(client, "lead", "role", role="admin")[0] == 200
    assert change(client, "admin", "role", role="admin")[0] == 200
    assert change(client, "lead", "disable")[0] == 200
    assert change(client, "admin", "role", role="reader")[0] == 422
    assert change(client, "lead", "enable")[0] == 200
    assert change(client, "admin", "role", role="reader")[0] == 200
    assert client.get("/admin/accounts").status_code == 403
    subjects = [detail["subject"] for _, detail in noted(database, AuditAction.ROLE_SET)]
    assert subjects == ["admin", "admin", "lead"]


def test_a_locked_account_says_so_and_is_unlocked(
    client: TestClient, settings: Settings, database: Database
) -> None:
    limit = access_policy(settings).account_limit
    with database.write() as session:
        for _ in range(limit.failures):
            begin(session, account_key("reader"), datetime.now(UTC), limit)
    assert account(client, "reader")["locked_until"] is not None
    assert "Locked" in client.get("/admin/accounts").text
    assert change(client, "reader", "unlock")[0] == 200
    assert account(client, "reader")["locked_until"] is None
    assert noted(database, AuditAction.ACCOUNT_UNLOCKED) == [("admin", {"subject": "reader"})]


def test_a_token_is_replaced_shown_once_and_revoked(client: TestClient) -> None:
    def may_come_in(token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return client.get("/api/v1/worklist", headers=headers).status_code == 200

    assert account(client, "service")["last_seen_at"] is None
    assert may_come_in(TOKEN)
    assert account(client, "service")["last_seen_at"] is not None
    status, page = change(client, "service", "token")
    (token,) = re.findall(r"<code>(readfirst_\S+)</code>", page)
    assert (status, may_come_in(TOKEN), may_come_in(token)) == (200, False, True)
    assert change(client, "service", "revoke")[0] == 200
    assert not may_come_in(token)
    assert not account(client, "service")["has_token"]
    assert change(client, "reader", "revoke")[0] == 422


def test_a_reset_password_logs_out_and_sessions_are_listed(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        open_session(session, "reader", digest("other"), NOW, "10.0.0.9")
    assert account(client, "reader")["sessions"] == 1
    (row,) = client.get(f"{ACCOUNTS}/reader/sessions").json()
    assert row["address"] == "10.0.0.9"
    assert "10.0.0.9" in client.get("/admin/accounts").text
    assert change(client, "reader", "password", password=PASSWORD)[0] == 200
    assert account(client, "reader")["sessions"] == 0
    assert client.get(f"{ACCOUNTS}/nobody/sessions").status_code == 404


def test_programs_of_the_admin_do_the_same(client: TestClient) -> None:
    token = {"X-Form-Token": FORM["form_token"]}
    new = {"name": "router", "role": "service"}
    added = client.post(ACCOUNTS, json=new, headers=token)
    assert added.status_code == 201
    assert added.json()["secret"].startswith("readfirst_")
    assert client.post(ACCOUNTS, json=new, headers=token).status_code == 422
    changes = f"{ACCOUNTS}/router/changes"
    done = client.post(changes, json={"change": "disable"}, headers=token).json()
    assert done["sentence"] == 'Account "router" disabled.'
    assert account(client, "router")["disabled_at"] is not None
    lacking = client.post(f"{ACCOUNTS}/reader/changes", json={"change": "role"}, headers=token)
    assert lacking.status_code == 422
    nobody = client.post(f"{ACCOUNTS}/nobody/changes", json={"change": "enable"}, headers=token)
    assert nobody.status_code == 404


def test_a_form_of_another_session_or_site_changes_nothing(client: TestClient) -> None:
    wrong = {"form_token": "0" * 64, "change": "disable"}
    assert client.post("/admin/accounts/reader", data=wrong).status_code == 403
    assert client.post("/admin/accounts", data={"name": "lea"}).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    sent = client.post(
        "/admin/accounts/reader", data=FORM | {"change": "disable"}, headers=elsewhere
    )
    assert sent.status_code == 403
    assert account(client, "reader")["disabled_at"] is None


def test_the_first_account_is_an_admin(settings: Settings, database: Database) -> None:
    with TestClient(make_app(settings), headers=OWN) as nobody:
        refused = nobody.post("/admin/accounts", data={"name": "lea", "role": "lead"})
        assert (refused.status_code, "first account" in refused.text) == (422, True)
        added = nobody.post("/admin/accounts", data={"name": "anna", "role": "admin"})
        assert added.status_code == 200
        assert nobody.get("/admin/accounts", follow_redirects=False).status_code in (303, 401)
