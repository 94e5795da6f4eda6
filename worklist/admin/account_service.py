"""Changes of accounts by an administrator, the same for page and API."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from db.access.account_changes import AccountChange, Wanted, add_account, change_account
from db.access.accounts import NewAccount, any_account
from db.access.audit import Actor
from db.session import Database
from readfirst.access.credentials import (
    check_name,
    check_password,
    digest,
    hash_password,
    new_token,
)
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext

#: Bytes of a password that is made here: 16 characters.
PASSWORD_BYTES = 12
FIRST_IS_ADMIN = (
    "The first account must have the role admin: from then on everybody has to log in, and nobody "
    "else could add accounts here."
)


@dataclass(frozen=True, slots=True)
class Changed:
    """The sentence of a change; and the password or token that was made for it, if any.

    secret: nobody sees it again.
    """

    name: str
    sentence: str
    secret: str | None = None


def add(
    database: Database, actor: Actor, name: str, role: Role, password: str, at: datetime
) -> Changed:
    """Make an account. password: empty to have one made. Raises Misconfigured."""
    name = check_name(name.strip())
    secret, kept = _secret(name, password, is_program=role is Role.SERVICE)
    key = "token_sha256" if role is Role.SERVICE else "password_hash"
    new = NewAccount(name=name, role=role, **{key: kept})
    with database.write() as session:
        if role is not Role.ADMIN and not any_account(session):
            raise Misconfigured(gettext(FIRST_IS_ADMIN))
        return Changed(name, add_account(session, actor, new, at), secret)


def change(
    database: Database,
    actor: Actor,
    name: str,
    wanted: AccountChange,
    at: datetime,
    *,
    role: Role | None = None,
    password: str = "",
) -> Changed:
    """Change an account. password: empty to have one made. Raises Misconfigured."""
    name, secret, kept = name.lower(), None, None
    if wanted in (AccountChange.PASSWORD, AccountChange.TOKEN):
        is_program = wanted is AccountChange.TOKEN
        secret, kept = _secret(name, password, is_program=is_program)
    with database.write() as session:
        sentence = change_account(session, actor, name, Wanted(wanted, role, kept), at)
    return Changed(name, sentence, secret)


def _secret(name: str, password: str, *, is_program: bool) -> tuple[str | None, str]:
    """The secret that is shown once, None for one that the admin knows; and what is kept of it."""
    if is_program:
        token = new_token()
        return token, digest(token)
    made = None if password else secrets.token_urlsafe(PASSWORD_BYTES)
    return made, hash_password(check_password(made or password, name))
