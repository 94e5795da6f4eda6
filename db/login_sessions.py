"""Browsers that are logged in. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from db.access_tables import Account, LoginSession
from readfirst.roles import Role

#: Use is noted to this, so that not every request writes.
NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: without use, and at all."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Whose session it is. stale: its use should be noted."""

    account: str
    role: Role
    stale: bool


def open_session(session: Session, account: str, secret_sha256: str, at: datetime) -> None:
    """Log somebody in: the account must exist."""
    account_id = session.scalars(select(Account.id).where(Account.name == account)).one()
    session.add(
        LoginSession(secret_sha256=secret_sha256, account_id=account_id, opened_at=at, used_at=at)
    )
    session.flush()


def logged_in(
    session: Session, secret_sha256: str, at: datetime, lifetimes: Lifetimes
) -> LoggedIn | None:
    """Who is logged in by this session; None if it has ended, or its account is disabled."""
    query = (
        select(Account.name, Account.role, LoginSession.used_at)
        .join(LoginSession.account)
        .where(
            LoginSession.secret_sha256 == secret_sha256,
            LoginSession.used_at > at - lifetimes.idle,
            LoginSession.opened_at > at - lifetimes.absolute,
            Account.disabled_at.is_(None),
        )
    )
    row = session.execute(query).one_or_none()
    return None if row is None else LoggedIn(row[0], row[1], stale=row[2] <= at - NOTED)


def note_use(session: Session, secret_sha256: str, at: datetime) -> None:
    """Somebody did something."""
    session.execute(
        update(LoginSession).where(LoginSession.secret_sha256 == secret_sha256).values(used_at=at)
    )


def close_session(session: Session, secret_sha256: str) -> None:
    """Log out."""
    session.execute(delete(LoginSession).where(LoginSession.secret_sha256 == secret_sha256))


def close_all(session: Session, account_id: int) -> None:
    """Log an account out everywhere."""
    session.execute(delete(LoginSession).where(LoginSession.account_id == account_id))


def drop_ended(session: Session, at: datetime, lifetimes: Lifetimes) -> None:
    """Forget sessions that have ended by themselves."""
    session.execute(
        delete(LoginSession).where(
            or_(
                LoginSession.used_at <= at - lifetimes.idle,
                LoginSession.opened_at <= at - lifetimes.absolute,
            )
        )
    )
