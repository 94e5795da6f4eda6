"""Changes of accounts, each with its line in the audit log: the same for page, API and terminal.

The caller owns the transaction. Every change returns the sentence that says it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.access import accounts
from db.access.audit import Actor, AuditAction, note
from db.access.login_attempts import forget
from db.access.login_sessions import close_all
from db.tables import Account
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext

LAST_ADMIN = (
    '"{name}" is the last admin and stays one. Give somebody else the role admin first: '
    "`readfirst accounts role NAME admin`."
)


class AccountChange(StrEnum):
    """The changes of an account that is there."""

    ROLE = "role"
    DISABLE = "disable"
    ENABLE = "enable"
    UNLOCK = "unlock"
    PASSWORD = "password"  # noqa: S105 - a change
    TOKEN = "token"  # noqa: S105 - a change
    REVOKE = "revoke"
    LOG_OUT = "log_out"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change with what it needs: a role, or what is kept of a password or a token."""

    change: AccountChange
    role: Role | None = None
    kept: str | None = None


NOTED = {
    AccountChange.ROLE: AuditAction.ROLE_SET,
    AccountChange.DISABLE: AuditAction.ACCOUNT_DISABLED,
    AccountChange.ENABLE: AuditAction.ACCOUNT_ENABLED,
    AccountChange.UNLOCK: AuditAction.ACCOUNT_UNLOCKED,
    AccountChange.PASSWORD: AuditAction.PASSWORD_SET,
    AccountChange.TOKEN: AuditAction.TOKEN_MADE,
    AccountChange.REVOKE: AuditAction.TOKEN_REVOKED,
    AccountChange.LOG_OUT: AuditAction.SESSION_ENDED,
}
SENTENCES = {
    AccountChange.ROLE: 'Account "{name}" has role {role}.',
    AccountChange.DISABLE: 'Account "{name}" disabled.',
    AccountChange.ENABLE: 'Account "{name}" enabled.',
    AccountChange.UNLOCK: 'Account "{name}" unlocked.',
    AccountChange.PASSWORD: 'Password of "{name}" changed.',
    AccountChange.TOKEN: 'Token of "{name}" replaced.',
    AccountChange.REVOKE: 'Token of "{name}" revoked.',
    AccountChange.LOG_OUT: 'Account "{name}" logged out everywhere.',
}


def add_account(
    session: Session, actor: Actor, new: accounts.NewAccount, at: datetime, **detail: Any
) -> str:
    """Make an account. Raises Misconfigured if the name is taken."""
    accounts.add(session, new, at)
    detail = {"subject": new.name, "role": new.role.value, **detail}
    note(session, actor, AuditAction.ACCOUNT_ADDED, at, **detail)
    text = gettext('Account "{name}" added with role {role}.')
    return text.format(name=new.name, role=new.role.value)


def change_account(
    session: Session, actor: Actor, name: str, wanted: Wanted, at: datetime, **detail: Any
) -> str:
    """Change an account. Raises Misconfigured if it cannot be, as for the last admin."""
    _apply(session, name, wanted, at)
    role = {"role": wanted.role.value} if wanted.role else {}
    note(session, actor, NOTED[wanted.change], at, subject=name, **role, **detail)
    return gettext(SENTENCES[wanted.change]).format(name=name, **role)


def _apply(session: Session, name: str, wanted: Wanted, at: datetime) -> None:
    match wanted.change:
        case AccountChange.ROLE if wanted.role is not None:
            if wanted.role is not Role.ADMIN:
                _check_not_last_admin(session, name)
            accounts.set_role(session, name, wanted.role)
        case AccountChange.DISABLE:
            _check_not_last_admin(session, name)
            accounts.disable(session, name, at)
        case AccountChange.ENABLE:
            accounts.enable(session, name)
        case AccountChange.UNLOCK:
            accounts.role_of(session, name)
            forget(session, name)
        case AccountChange.PASSWORD if wanted.kept is not None:
            accounts.set_password_hash(session, name, wanted.kept)
        case AccountChange.TOKEN if wanted.kept is not None:
            accounts.set_token(session, name, wanted.kept)
        case AccountChange.REVOKE:
            accounts.revoke_token(session, name)
        case AccountChange.LOG_OUT:
            close_all(session, accounts.id_of(session, name))
        case _:
            raise Misconfigured(
                gettext("The change {change} needs a value.").format(change=wanted.change)
            )


def _check_not_last_admin(session: Session, name: str) -> None:
    """Raises Misconfigured for the last admin who can log in. Others' changes wait until the end
    of the transaction, so that two admins cannot remove each other.
    """
    query = select(Account.name).where(Account.role == Role.ADMIN, Account.disabled_at.is_(None))
    if session.scalars(query.with_for_update()).all() == [name]:
        raise Misconfigured(gettext(LAST_ADMIN).format(name=name))
