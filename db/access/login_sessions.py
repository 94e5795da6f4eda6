"""Browsers that are logged in. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from db.tables import Account, LoginSession
from readfirst.access.roles import Role

#: Use is noted to this, so that not every request writes.
NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The time that a session lasts: without use, and at all."""

    idle: timedelta
    absolute: timedelta


class Expired(Enum):
    """The ways in which a session ends by itself."""

    #: Nobody used it.
    IDLE = auto()
    #: It lasted as long as any may.
    OVER = auto()


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The owner of a session. stale: its use should be noted. language: chosen, or None."""

    account: str
    role: Role
    stale: bool
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A browser that is logged in. is_own: the one that asks."""

    number: int
    opened_at: datetime
    used_at: datetime
    #: None for a session of before addresses were kept.
    address: str | None
    is_own: bool


def open_session(
    session: Session, account: str, secret_sha256: str, at: datetime, address: str | None = None
) -> None:
    """Log somebody in: the account must exist. address: from which they come."""
    account_id = session.scalars(select(Account.id).where(Account.name == account)).one()
    session.add(
        LoginSession(
            secret_sha256=secret_sha256,
            account_id=account_id,
            opened_at=at,
            used_at=at,
            address=address,
        )
    )
    session.flush()


def logged_in(
    session: Session, secret_sha256: str, at: datetime, lifetimes: Lifetimes
) -> LoggedIn | None:
    """Return the owner of a session; None if it has ended, or its account is disabled."""
    query = (
        select(Account.name, Account.role, LoginSession.used_at, Account.language)
        .join(LoginSession.account)
        .where(
            LoginSession.secret_sha256 == secret_sha256,
            LoginSession.used_at > at - lifetimes.idle,
            LoginSession.opened_at > at - lifetimes.absolute,
            Account.disabled_at.is_(None),
        )
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    name, role, used_at, language = row
    return LoggedIn(name, role, stale=used_at <= at - NOTED, language=language)


def are_alive(at: datetime, lifetimes: Lifetimes) -> tuple[ColumnElement[bool], ...]:
    """Sessions that have not ended by themselves."""
    return (
        LoginSession.used_at > at - lifetimes.idle,
        LoginSession.opened_at > at - lifetimes.absolute,
    )


def expired(
    session: Session, secret_sha256: str, at: datetime, lifetimes: Lifetimes
) -> Expired | None:
    """Return how a session ended by itself; None for one that has not, or that is not known."""
    query = select(LoginSession).where(LoginSession.secret_sha256 == secret_sha256)
    row = session.scalar(query)
    if row is None:
        return None
    if row.opened_at <= at - lifetimes.absolute:
        return Expired.OVER
    return Expired.IDLE if row.used_at <= at - lifetimes.idle else None


def sessions_of(
    session: Session,
    account: str,
    at: datetime,
    lifetimes: Lifetimes,
    *,
    own_sha256: str | None = None,
) -> list[SessionRecord]:
    """The living sessions of an account, the latest used first. own_sha256: the one that asks."""
    query = (
        select(LoginSession)
        .join(LoginSession.account)
        .where(Account.name == account, *are_alive(at, lifetimes))
        .order_by(LoginSession.used_at.desc(), LoginSession.id.desc())
    )
    return [
        SessionRecord(
            number=row.id,
            opened_at=row.opened_at,
            used_at=row.used_at,
            address=row.address,
            is_own=row.secret_sha256 == own_sha256,
        )
        for row in session.scalars(query)
    ]


def end_session(session: Session, account: str, number: int) -> bool:
    """End a session of an account; False if the account has none of this number."""
    owner = select(Account.id).where(Account.name == account).scalar_subquery()
    ended = session.execute(
        delete(LoginSession)
        .where(LoginSession.id == number, LoginSession.account_id == owner)
        .returning(LoginSession.id)
    )
    return ended.scalar() is not None


def end_replaced(session: Session, secret_sha256: str) -> str | None:
    """End the session that a new log-in replaces. Returns its account; None if there is none."""
    query = (
        select(Account.name).join(LoginSession).where(LoginSession.secret_sha256 == secret_sha256)
    )
    account = session.scalar(query)
    close_session(session, secret_sha256)
    return account


def note_use(session: Session, secret_sha256: str, at: datetime) -> None:
    """Note that a session was used."""
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
