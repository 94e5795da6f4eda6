"""Accounts, sessions, lock-out and the audit log in the database, on both kinds of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.access import accounts
from db.access.audit import Actor, AuditAction, entries, known_study, note
from db.access.login_attempts import Limit, account_key, begin, drop_old, forget, take_back
from db.access.login_sessions import (
    Lifetimes,
    close_session,
    drop_ended,
    logged_in,
    note_use,
    open_session,
)
from db.session import Database
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from tests.support.studies import NOW, a_scored_image

LIMIT = Limit(3, timedelta(minutes=15))
LIFETIMES = Lifetimes(timedelta(hours=1), timedelta(hours=12))


def a_person(database: Database, name: str = "anna") -> None:
    with database.write() as session:
        new = accounts.NewAccount(name=name, role=Role.READER, password_hash="kept")
        accounts.add(session, new, NOW)


def test_an_account_is_made_once_and_never_removed(database: Database) -> None:
    with database.read() as session:
        assert not accounts.any_account(session)
    a_person(database)
    with pytest.raises(Misconfigured, match="already"):
        a_person(database)
    with database.write() as session:
        accounts.disable(session, "anna", NOW)
        assert accounts.password_hash(session, "anna") is None
        assert accounts.any_account(session)
        accounts.enable(session, "anna")
        assert accounts.password_hash(session, "anna") == "kept"
        with pytest.raises(Misconfigured, match="no account bert"):
            accounts.disable(session, "bert", NOW)


def test_people_have_passwords_and_programs_tokens(database: Database) -> None:
    a_person(database)
    program = accounts.NewAccount(name="router", role=Role.SERVICE, token_sha256="old")
    with database.write() as session:
        accounts.add(session, program, NOW)
        accounts.set_token(session, "router", "new")
        assert accounts.by_token(session, "old") is None
        assert accounts.by_token(session, "new") == accounts.Program("router", None)
        with pytest.raises(Misconfigured, match="token"):
            accounts.set_password_hash(session, "router", "hash")
        with pytest.raises(Misconfigured, match="password"):
            accounts.set_token(session, "anna", "token")


def test_a_session_lives_while_it_is_used_and_not_for_ever(database: Database) -> None:
    a_person(database)
    with database.write() as session:
        open_session(session, "anna", "secret", NOW)
        used = NOW + timedelta(minutes=59)
        login = logged_in(session, "secret", used, LIFETIMES)
        assert login is not None
        assert (login.account, login.role, login.stale) == ("anna", Role.READER, True)
        assert logged_in(session, "secret", NOW + timedelta(hours=1), LIFETIMES) is None
        note_use(session, "secret", used)
        assert logged_in(session, "secret", used + timedelta(minutes=59), LIFETIMES) is not None
        note_use(session, "secret", NOW + timedelta(hours=12))
        assert logged_in(session, "secret", NOW + timedelta(hours=12), LIFETIMES) is None
        drop_ended(session, NOW + timedelta(hours=12), LIFETIMES)
        assert session.execute(text("SELECT count(*) FROM login_sessions")).scalar() == 0


def test_a_session_ends_by_log_out_by_a_new_password_and_with_its_account(
    database: Database,
) -> None:
    a_person(database)
    with database.write() as session:
        ends: list[Callable[[], None]] = [
            lambda: close_session(session, "secret"),
            lambda: accounts.set_password_hash(session, "anna", "other"),
            lambda: accounts.disable(session, "anna", NOW),
        ]
        for end in ends:
            open_session(session, "anna", "secret", NOW)
            assert logged_in(session, "secret", NOW, LIFETIMES) is not None
            end()
            assert logged_in(session, "secret", NOW, LIFETIMES) is None


def test_failures_lock_for_a_while_and_a_success_forgets_them(database: Database) -> None:
    key = account_key("anna")
    with database.write() as session:
        tries = [begin(session, key, NOW, LIMIT) for _ in range(5)]
        assert tries == [True, True, True, False, False]
        assert not begin(session, key, NOW + timedelta(minutes=14), LIMIT)
        assert begin(session, account_key("bert"), NOW, LIMIT)
        assert begin(session, key, NOW + timedelta(minutes=15), LIMIT)
        forget(session, "anna")
        assert [begin(session, key, NOW, LIMIT) for _ in range(3)] == [True] * 3
        take_back(session, key)
        assert begin(session, key, NOW, LIMIT)
        drop_old(session, NOW + timedelta(minutes=15), LIMIT)
        assert session.execute(text("SELECT count(*) FROM login_attempts")).scalar() == 0


def test_attempts_at_the_same_moment_are_counted_one_by_one(database: Database) -> None:
    def attempt(_: int) -> bool:
        with database.write() as session:
            return begin(session, "address:192.0.2.1", NOW, LIMIT)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == [False] * 5 + [True] * 3


def test_the_audit_log_is_read_by_time_account_and_study(database: Database) -> None:
    anna, bert = Actor("anna", "192.0.2.1"), Actor("bert", None)
    with database.write() as session:
        note(session, anna, AuditAction.STUDY_VIEWED, NOW, study_instance_uid="1.2")
        note(session, bert, AuditAction.LOGGED_IN, NOW + timedelta(hours=1), by="hand")
    with database.read() as session:
        assert [entry.account for entry in entries(session, limit=9)] == ["bert", "anna"]
        assert [entry.account for entry in entries(session, limit=1)] == ["bert"]
        since = NOW + timedelta(minutes=1)
        assert [entry.detail for entry in entries(session, limit=9, since=since)] == [
            {"by": "hand"}
        ]
        (seen,) = entries(session, limit=9, study_instance_uid="1.2")
        assert (seen.account, seen.action) == ("anna", "study_viewed")
        assert entries(session, limit=9, account="nobody") == []


@pytest.mark.parametrize("change", ["UPDATE audit SET account = 'nobody'", "DELETE FROM audit"])
def test_the_audit_log_cannot_be_changed(database: Database, change: str) -> None:
    with database.write() as session:
        note(session, Actor("anna", None), AuditAction.LOGGED_IN, NOW)
    changes = [change]
    if database.engine.dialect.name == "postgresql":
        changes.append("TRUNCATE audit")
    for statement in changes:
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(text(statement))


def test_a_study_is_known_by_its_uid_and_by_its_images(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, at=NOW, probability=0.5, study="1.2.3")
        sha256, sop = image.sha256, image.sop_instance_uid
    with database.read() as session:
        for named in ({"sha256": sha256}, {"sop_instance_uid": sop}):
            assert known_study(session, named) == "1.2.3"
        assert known_study(session, {"study_instance_uid": "1.2.3"}) == "1.2.3"
        assert known_study(session, {"study_instance_uid": "DOE^JANE"}) is None
        assert known_study(session, {}) is None
