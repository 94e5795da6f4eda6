"""The log-in service: name and password for the secret of a new session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from db.access import accounts
from db.access.audit import Actor, AuditAction, note
from db.access.login_attempts import (
    Limit,
    account_key,
    address_key,
    begin,
    drop_old,
    failures,
    forget,
    take_back,
)
from db.access.login_sessions import drop_ended, end_replaced, open_session
from db.session import Database
from readfirst.access.credentials import (
    digest,
    hash_password,
    is_outdated,
    new_secret,
    verify_password,
)
from worklist.security.access_policy import AccessPolicy

#: Sessions that have ended by themselves are kept for so long.
ENDED_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody who says to be an account."""

    name: str
    password: str
    address: str
    at: datetime
    #: The secret that the browser came with: a session of it ends by this log-in.
    replaced: str = ""


def log_in(database: Database, policy: AccessPolicy, attempt: Attempt) -> str | None:
    """The secret of a new session, or None, which does not say why.

    A wrong name, a wrong password, a disabled account and a locked one take the same time; only an
    address that is locked itself, whatever the name, is answered at once.
    """
    kept = _confirmed(database, policy, attempt)
    return None if kept is None else _let_in(database, policy, attempt, kept)


def change_password(
    database: Database, policy: AccessPolicy, attempt: Attempt, new: str
) -> str | None:
    """Set somebody's own password, and the secret of the one session that is left.

    attempt: the password so far, which is guessed at no more often here than at the log-in.
    new: by `check_password`. Returns None if the password so far is not confirmed.
    """
    confirmed = _confirmed(database, policy, attempt)
    if confirmed is None:
        return None
    secret, kept = new_secret(), hash_password(new)
    with database.write() as session:
        if accounts.password_hash(session, attempt.name) != confirmed:
            return None
        accounts.set_password_hash(session, attempt.name, kept)
        take_back(session, address_key(attempt.address))
        open_session(session, attempt.name, digest(secret), attempt.at, attempt.address)
        actor = Actor(attempt.name, attempt.address)
        note(session, actor, AuditAction.PASSWORD_SET, attempt.at, subject=attempt.name)
    return secret


def _confirmed(database: Database, policy: AccessPolicy, attempt: Attempt) -> str | None:
    """The hash that the password of an attempt matches; None if it matches none, or too late."""
    if not (
        policy.is_shared(attempt.address)
        or _begin(database, attempt, address_key(attempt.address), policy.address_limit)
    ):
        return None
    free = _begin(database, attempt, account_key(attempt.name), policy.account_limit)
    with database.read() as session:
        kept = accounts.password_hash(session, attempt.name)
    if not (verify_password(attempt.password, kept) and free and kept):
        if free:
            _note(database, attempt, AuditAction.LOGIN_FAILED)
        return None
    return kept


def _begin(database: Database, attempt: Attempt, key: str, limit: Limit) -> bool:
    """Count the attempt; False if it is one too many. The one that locks is noted."""
    with database.write() as session:
        if not begin(session, key, attempt.at, limit):
            return False
        last = failures(session, key) == limit.failures
    if last:
        _note(database, attempt, AuditAction.LOCKED_OUT, after=limit.failures, by=key.split(":")[0])
    return True


def _let_in(database: Database, policy: AccessPolicy, attempt: Attempt, kept: str) -> str | None:
    secret = new_secret()
    newer = hash_password(attempt.password) if is_outdated(kept) else None
    with database.write() as session:
        if accounts.password_hash(session, attempt.name) != kept:
            # Disabled, or another password, while this one was looked at.
            return None
        if newer is not None:
            accounts.rehash(session, attempt.name, newer)
        forget(session, attempt.name)
        take_back(session, address_key(attempt.address))
        drop_old(session, attempt.at, policy.account_limit)
        # A while longer, so that their owners are told why they have to log in.
        drop_ended(session, attempt.at - ENDED_KEPT, policy.lifetimes)
        if replaced := end_replaced(session, digest(attempt.replaced)):
            actor = Actor(replaced, attempt.address)
            note(session, actor, AuditAction.LOGGED_OUT, attempt.at)
        open_session(session, attempt.name, digest(secret), attempt.at, attempt.address)
        accounts.note_seen(session, attempt.name, attempt.at)
        note(session, Actor(attempt.name, attempt.address), AuditAction.LOGGED_IN, attempt.at)
    return secret


def _note(database: Database, attempt: Attempt, action: AuditAction, **detail: Any) -> None:
    """Name the account, if there is one: a password is easily typed into the wrong field."""
    with database.write() as session:
        known = accounts.exists(session, attempt.name)
        actor = Actor(attempt.name if known else None, attempt.address)
        note(session, actor, action, attempt.at, **detail)
