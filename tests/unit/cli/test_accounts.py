"""`accounts` and `audit` as people call them, and the page's server as a process."""

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from typer.testing import CliRunner, Result

from cli import app
from db.access.login_sessions import open_session
from db.session import open_database
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings
from tests.support.stack import page_address
from tests.support.waiting import TIMEOUT

PASSWORD = "four plain words here\n"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_person_is_added_with_a_password_from_stdin() -> None:
    added = run("accounts", "add", "Anna", "--role", "admin", stdin=PASSWORD)
    assert added.exit_code == 0, added.output
    assert added.stdout == ""
    (account,) = json.loads(run("accounts", "list", "--json").stdout)
    assert (account["name"], account["role"], account["disabled_at"]) == ("anna", "admin", None)
    assert "hash" not in str(account)
    assert isinstance(run("accounts", "add", "anna", stdin=PASSWORD).exception, Misconfigured)
    assert run("accounts", "passwd", "anna", stdin="other plain words\n").exit_code == 0


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "short"),
        ("anna-the-first", "anna-the-first"),
        ("anna", "a" * 20),
        ("a b", PASSWORD),
    ],
)
def test_a_password_that_is_easily_guessed_or_a_strange_name_is_refused(
    name: str, password: str
) -> None:
    refused = run("accounts", "add", name, stdin=password).exception
    assert isinstance(refused, Misconfigured)
    assert password.strip() not in str(refused) or name == password
    assert json.loads(run("accounts", "list", "--json").stdout) == []


def test_a_password_cannot_be_given_as_an_argument() -> None:
    for arguments in (("add", "anna", "--password", PASSWORD), ("passwd", "anna", PASSWORD)):
        assert run("accounts", *arguments).exit_code == 2


def test_a_programs_token_is_shown_once_and_kept_by_its_digest() -> None:
    token = run("accounts", "add", "router", "--role", "service").stdout.strip()
    assert re.fullmatch(r"readfirst_[\w-]{43}", token)
    other = run("accounts", "token", "router").stdout.strip()
    assert other != token
    kept = (load_settings().home_path / "readfirst.db").read_bytes()
    wal = load_settings().home_path / "readfirst.db-wal"
    kept += wal.read_bytes() if wal.exists() else b""
    assert token.encode() not in kept
    assert isinstance(run("accounts", "passwd", "router").exception, Misconfigured)
    run("accounts", "add", "anna", stdin=PASSWORD)
    assert isinstance(run("accounts", "token", "anna").exception, Misconfigured)


def test_account_changes_are_in_the_audit_log() -> None:
    run("accounts", "add", "anna", stdin=PASSWORD)
    run("accounts", "disable", "anna")
    assert "anna" in run("accounts", "list").stdout
    run("accounts", "disable", "anna", "--undo")
    assert isinstance(run("accounts", "disable", "bert").exception, Misconfigured)
    rows = json.loads(run("audit", "--json").stdout)
    assert [row["action"] for row in rows] == [
        "account_enabled",
        "account_disabled",
        "account_added",
    ]
    assert rows[0]["detail"]["subject"] == "anna"
    assert PASSWORD.strip() not in str(rows)
    assert "account_added" in run("audit", "--since", "1h").stdout
    assert json.loads(run("audit", "--since", "2199-01-01", "--json").stdout) == []


def test_off_loopback_and_without_accounts_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_HOST", "0.0.0.0")
    monkeypatch.setenv("READFIRST_PORT", "0")
    for command in ("serve", "up", "demo"):
        refused = run(command).exception
        assert isinstance(refused, Misconfigured)
        assert "readfirst accounts add" in str(refused)
    monkeypatch.delenv("READFIRST_HOST")
    assert isinstance(run("serve", "--host", "0.0.0.0").exception, Misconfigured)


def test_the_page_speaks_tls_and_lets_a_program_in(tmp_path: Path) -> None:
    ca = trustme.CA()
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "page.pem")
    token = run("accounts", "add", "router", "--role", "service").stdout.strip()
    page = str(tmp_path / "page.pem")
    environment = os.environ | {"READFIRST_TLS_CERTIFICATE": page, "READFIRST_TLS_KEY": page}
    command = [sys.executable, "-m", "readfirst", "serve", "--port", "0"]
    with (tmp_path / "serve.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stderr=log)
    try:
        context = ssl.create_default_context()
        ca.configure_trust(context)
        address = page_address(tmp_path / "serve.log")
        assert address.startswith("https://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(f"{address}/api/v1/worklist", timeout=TIMEOUT, context=context)
        assert refused.value.headers["Strict-Transport-Security"]
        refused.value.close()
        request = urllib.request.Request(f"{address}/api/v1/worklist")
        request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as answer:
            assert json.load(answer)
    finally:
        server.terminate()
        server.wait(TIMEOUT)


def test_a_person_may_do_more_and_a_program_stays_one() -> None:
    run("accounts", "add", "anna", stdin=PASSWORD)
    run("accounts", "add", "router", "--role", "service")
    assert run("accounts", "role", "Anna", "lead").exit_code == 0
    roles = {
        account["name"]: account["role"]
        for account in json.loads(run("accounts", "list", "--json").stdout)
    }
    assert roles == {"anna": "lead", "router": "service"}
    assert isinstance(run("accounts", "role", "router", "lead").exception, Misconfigured)
    (line,) = [
        entry
        for entry in json.loads(run("audit", "--json").stdout)
        if entry["action"] == "role_set"
    ]
    assert line["detail"]["subject"] == "anna"


def test_sessions_are_listed_and_ended_at_the_command_line() -> None:
    run("accounts", "add", "anna", stdin=PASSWORD)
    database = open_database(load_settings().database)
    with database.write() as session:
        open_session(session, "anna", "digest", datetime.now(UTC), "192.0.2.1")
    (row,) = json.loads(run("accounts", "sessions", "anna", "--json").stdout)
    assert row["address"] == "192.0.2.1"
    assert "192.0.2.1" in run("accounts", "sessions", "Anna").stdout
    assert isinstance(run("accounts", "sessions", "anna", "--end", "99").exception, Misconfigured)
    assert isinstance(run("accounts", "sessions", "berta").exception, Misconfigured)
    assert run("accounts", "sessions", "anna", "--end", str(row["number"])).exit_code == 0
    assert json.loads(run("accounts", "sessions", "anna", "--json").stdout) == []
    assert json.loads(run("audit", "--json").stdout)[0]["action"] == "session_ended"
    database.dispose()


def test_an_account_is_shown_unlocked_and_its_token_revoked() -> None:
    added = run("accounts", "add", "lea", "--role", "lead", stdin=PASSWORD)
    assert 'Account "lea" added with role lead.' in added.stderr
    details = json.loads(run("accounts", "show", "lea", "--json").stdout)
    assert (details["role"], details["last_seen_at"], details["locked_until"]) == (
        "lead",
        None,
        None,
    )
    assert "never" in run("accounts", "show", "lea").stdout
    assert 'Account "lea" unlocked.' in run("accounts", "unlock", "lea").stderr
    assert 'Account "lea" disabled.' in run("accounts", "disable", "lea").stderr
    assert 'Account "lea" enabled.' in run("accounts", "enable", "lea").stderr
    run("accounts", "add", "router", "--role", "service")
    assert 'Token of "router" revoked.' in run("accounts", "token", "router", "--revoke").stderr
    assert "none" in run("accounts", "show", "router").stdout
    actions = [row["action"] for row in json.loads(run("audit", "--json").stdout)]
    assert actions[0] == "token_revoked"
    assert "account_unlocked" in actions


def test_the_last_admin_stays_one() -> None:
    run("accounts", "add", "anna", "--role", "admin", stdin=PASSWORD)
    for refused in (("disable", "anna"), ("role", "anna", "reader")):
        assert "last admin" in str(run("accounts", *refused).exception)
    run("accounts", "add", "bert", "--role", "admin", stdin=PASSWORD)
    assert run("accounts", "role", "anna", "reader").exit_code == 0
    assert "last admin" in str(run("accounts", "disable", "bert").exception)
