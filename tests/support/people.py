"""People of a site: an account of each role, of its role's name, with one password for all."""

from datetime import datetime

from db.access import accounts
from db.session import Database
from readfirst.access.credentials import digest, hash_password, new_token
from readfirst.access.roles import Role

PASSWORD = "four plain words here"
#: Hashing is slow on purpose: once is enough.
PASSWORD_HASH = hash_password(PASSWORD)
#: Of the program, which is no person.
TOKEN = new_token()


def add_people(database: Database, at: datetime) -> None:
    """Make the accounts."""
    with database.write() as session:
        for role in Role:
            kept = {"token_sha256": digest(TOKEN)}
            if role is not Role.SERVICE:
                kept = {"password_hash": PASSWORD_HASH}
            accounts.add(session, accounts.NewAccount(name=role.value, role=role, **kept), at)
