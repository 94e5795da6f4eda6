"""Accounts of people and programs. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.access.login_attempts import forget
from db.access.login_sessions import close_all
from db.session import rows_of
from db.tables import Account
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """An account, without what it logs in by."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to be made: a person's with a password's hash, a program's with a token's."""

    name: str
    role: Role
    password_hash: str | None = None
    token_sha256: str | None = None


#: Asked at every request, so it is put together once.
_ANY = select(Account.id).limit(1)


def any_account(session: Session) -> bool:
    """Tell whether there is one, be it disabled."""
    return rows_of(session, _ANY).first() is not None


def exists(session: Session, name: str) -> bool:
    """Tell whether there is an account of this name, be it disabled."""
    return _named(session, name) is not None


def all_accounts(session: Session) -> list[AccountRecord]:
    """Every account, by name."""
    return [
        AccountRecord(
            name=account.name,
            role=account.role,
            created_at=account.created_at,
            disabled_at=account.disabled_at,
        )
        for account in session.scalars(select(Account).order_by(Account.name))
    ]


def add(session: Session, new: NewAccount, at: datetime) -> None:
    """Make an account. Raises Misconfigured if the name is taken."""
    if _named(session, new.name) is not None:
        raise Misconfigured(gettext("There is an account {name} already.").format(name=new.name))
    session.add(
        Account(
            name=new.name,
            role=new.role,
            password_hash=new.password_hash,
            token_sha256=new.token_sha256,
            created_at=at,
        )
    )
    session.flush()


def role_of(session: Session, name: str) -> Role:
    """The role of an account. Raises Misconfigured if there is none of this name."""
    return known_account(session, name).role


def password_hash(session: Session, name: str) -> str | None:
    """Return the hash of a password; None for nobody, a program, or a disabled account."""
    account = _named(session, name)
    return None if account is None or account.disabled_at else account.password_hash


def set_password_hash(session: Session, name: str, kept: str) -> None:
    """Set a person's password: whoever is logged in by the old one is logged out."""
    account = known_account(session, name)
    if account.role is Role.SERVICE:
        raise Misconfigured(gettext("{name} is a program: give it a token.").format(name=name))
    account.password_hash = kept
    close_all(session, account.id)
    forget(session, name)


def rehash(session: Session, name: str, kept: str) -> None:
    """Keep the same password by newer parameters."""
    known_account(session, name).password_hash = kept


def set_token(session: Session, name: str, token_sha256: str) -> None:
    """Give a program another token; the old one is worth nothing from now on."""
    account = known_account(session, name)
    if account.role is not Role.SERVICE:
        raise Misconfigured(gettext("{name} is a person: set a password.").format(name=name))
    account.token_sha256 = token_sha256


def revoke_token(session: Session, name: str) -> None:
    """Let a program have no token: it is let in no more until it is given another."""
    account = known_account(session, name)
    if account.role is not Role.SERVICE:
        raise Misconfigured(gettext("{name} is a person: there is no token.").format(name=name))
    account.token_sha256 = None


def id_of(session: Session, name: str) -> int:
    """The number of an account. Raises Misconfigured if there is none of this name."""
    return known_account(session, name).id


def set_role(session: Session, name: str, role: Role) -> None:
    """Let a person do more or less, from the next request on. A program stays one."""
    account = known_account(session, name)
    if Role.SERVICE in (account.role, role):
        raise Misconfigured(gettext("A program cannot become a person, nor a person a program."))
    account.role = role


def disable(session: Session, name: str, at: datetime) -> None:
    """Let an account in no more, from this moment."""
    account = known_account(session, name)
    account.disabled_at = account.disabled_at or at
    close_all(session, account.id)


def enable(session: Session, name: str) -> None:
    """Let it in again."""
    known_account(session, name).disabled_at = None


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has a token. last_seen_at: as it is noted; None if it was never seen."""

    name: str
    last_seen_at: datetime | None


def by_token(session: Session, token_sha256: str) -> Program | None:
    """The program that has this token, unless it is disabled."""
    account = session.scalar(
        select(Account).where(
            Account.token_sha256 == token_sha256,
            Account.disabled_at.is_(None),
            Account.role == Role.SERVICE,
        )
    )
    return None if account is None else Program(account.name, account.last_seen_at)


def note_seen(session: Session, name: str, at: datetime) -> None:
    """Note that an account did something."""
    session.execute(update(Account).where(Account.name == name).values(last_seen_at=at))


def _named(session: Session, name: str) -> Account | None:
    return session.scalar(select(Account).where(Account.name == name))


def known_account(session: Session, name: str) -> Account:
    """The account of this name. Raises Misconfigured if there is none."""
    account = _named(session, name)
    if account is None:
        raise Misconfigured(gettext("There is no account {name}.").format(name=name))
    return account
