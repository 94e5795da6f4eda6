"""Accounts as an administrator sees them: when they were last seen, where, and who is locked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.access.accounts import known_account
from db.access.login_attempts import Limit, account_key
from db.access.login_sessions import Lifetimes, are_alive
from db.tables import Account, LoginAttempts, LoginSession
from readfirst.access.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetail:
    """An account, without what it logs in by.

    last_seen_at: when it last did something, to the minute; None if never. sessions: browsers
    that are logged in. locked_until: no log-in is tried before; None if it is not locked.
    has_token: of a program, whether its token is valid.
    """

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None
    sessions: int
    locked_until: datetime | None
    has_token: bool


def account_details(
    session: Session, at: datetime, lifetimes: Lifetimes, limit: Limit, name: str | None = None
) -> list[AccountDetail]:
    """Every account by name, or the one of this name. Raises Misconfigured if there is none."""
    rows = (
        session.scalars(select(Account).order_by(Account.name)).all()
        if name is None
        else [known_account(session, name)]
    )
    living = select(LoginSession.account_id, func.count()).where(*are_alive(at, lifetimes))
    sessions = dict(session.execute(living.group_by(LoginSession.account_id)).all())
    locked = {
        row.key: row.last_at + limit.pause
        for row in session.scalars(
            select(LoginAttempts).where(
                LoginAttempts.failures >= limit.failures, LoginAttempts.last_at > at - limit.pause
            )
        )
    }
    return [
        AccountDetail(
            name=row.name,
            role=row.role,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            last_seen_at=row.last_seen_at,
            sessions=sessions.get(row.id, 0),
            locked_until=locked.get(account_key(row.name)),
            has_token=row.token_sha256 is not None,
        )
        for row in rows
    ]
