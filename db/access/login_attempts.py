"""Log-ins that failed of late, counted so that nobody can try all passwords.

An attempt counts when it begins, and is taken back when it succeeds, so that a hundred at the same
moment are a hundred.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.tables import LoginAttempts
from readfirst.access.addresses import network_of
from readfirst.access.credentials import digest


@dataclass(frozen=True, slots=True)
class Limit:
    """After so many failures nobody is let in for so long."""

    failures: int
    pause: timedelta


def account_key(name: str) -> str:
    """The key of an account's name, whether there is such an account or not."""
    return f"account:{digest(name)}"


def address_key(address: str) -> str:
    """The key of an address; all of a network of 64 bits of IPv6 are one (`network_of`)."""
    return f"address:{network_of(address)}"


def token_key(address: str) -> str:
    """The key of the tokens from an address."""
    return f"token:{network_of(address)}"


def begin(session: Session, key: str, at: datetime, limit: Limit) -> bool:
    """Count an attempt. False, and nothing is counted, while the key is locked."""
    row = _locked_row(session, key, at)
    if at >= row.last_at + limit.pause:
        row.failures = 0
    if row.failures >= limit.failures:
        return False
    row.failures, row.last_at = row.failures + 1, at
    return True


def failures(session: Session, key: str) -> int:
    """Return the number of attempts that count at the moment."""
    row = session.get(LoginAttempts, key)
    return 0 if row is None else row.failures


def take_back(session: Session, key: str) -> None:
    """The attempt succeeded: it does not count."""
    counted = LoginAttempts.failures
    session.execute(
        update(LoginAttempts)
        .where(LoginAttempts.key == key, counted > 0)
        .values(failures=counted - 1)
    )


def forget(session: Session, name: str) -> None:
    """Let no failure of a name count any more: its owner has logged in, or has a new password."""
    session.execute(delete(LoginAttempts).where(LoginAttempts.key == account_key(name)))


def drop_old(session: Session, at: datetime, limit: Limit) -> None:
    """Forget what counts no more."""
    session.execute(delete(LoginAttempts).where(LoginAttempts.last_at <= at - limit.pause))


def _locked_row(session: Session, key: str, at: datetime) -> LoginAttempts:
    row = session.get(LoginAttempts, key, with_for_update=True)
    if row is not None:
        return row
    try:
        with session.begin_nested():
            row = LoginAttempts(key=key, failures=0, last_at=at)
            session.add(row)
    except IntegrityError:
        # Another attempt of the same key came first, just now.
        row = session.get_one(LoginAttempts, key, with_for_update=True)
    return row
