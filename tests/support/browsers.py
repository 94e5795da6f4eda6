"""Browsers of people who are logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.testclient import TestClient

from db.access.login_sessions import open_session
from db.session import Database
from readfirst.access.credentials import digest
from readfirst.access.roles import Role
from tests.support.people import add_people
from worklist.security.principal import form_token

#: A secret of a browser: the content of its cookie.
SECRET = "a secret of the browser"
#: The headers that a browser sends with what a page of its own does, and the token of its forms.
OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = {"form_token": form_token(SECRET)}


def token_in(page: str) -> str:
    """The token that a page sends with its forms. page: as HTML."""
    return page.split('name="form_token" value="')[1].split('"')[0]


@contextmanager
def logged_in(app: FastAPI, database: Database, role: Role) -> Iterator[TestClient]:
    """The browser of a person of this role, which follows no redirect; each role has an account."""
    now = datetime.now(UTC)
    add_people(database, now)
    with database.write() as session:
        open_session(session, role.value, digest(SECRET), now, "10.0.0.7")
    with TestClient(app, follow_redirects=False, headers=OWN) as client:
        client.cookies.set("readfirst", SECRET)
        yield client
