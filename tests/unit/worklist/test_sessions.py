"""Sessions: a new log-in ends the old one, people see and end their own, and films go with them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from db.access import accounts
from db.access.audit import AuditAction, entries
from db.access.login_sessions import SessionRecord
from db.session import Database
from db.tables import LoginSession
from readfirst.access.credentials import digest, hash_password
from readfirst.access.roles import Role
from readfirst.derived_images import DerivedImages
from readfirst.settings import Settings
from tests.support.studies import an_image
from worklist.app import make_app

NOW = datetime.now(UTC)
PASSWORD = "four plain words here"
PASSWORD_HASH = hash_password(PASSWORD)
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """A browser of a site with two readers."""
    with database.write() as session:
        for name in ("anna", "berta"):
            new = accounts.NewAccount(name=name, role=Role.READER, password_hash=PASSWORD_HASH)
            accounts.add(session, new, NOW)
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


def another(client: TestClient) -> TestClient:
    """Another browser before the same server."""
    return TestClient(client.app, follow_redirects=False)


def token_of(page: str) -> str:
    return page.split('name="form_token" value="')[1].split('"')[0]


def log_in(client: TestClient, name: str) -> str:
    """Log in as a browser does. Returns the cookie's secret."""
    form = client.get("/login", headers={"Accept": "text/html"})
    if form.status_code == 303:
        # Who is logged in is sent onward; the form's token is that of the session.
        form = client.get("/account")
    sent = {"name": name, "password": PASSWORD, "form_token": token_of(form.text)}
    assert client.post("/login", data=sent, headers=OWN).status_code == 303
    return str(client.cookies["readfirst"])


def is_in(client: TestClient, secret: str) -> bool:
    cookie = {"Cookie": f"readfirst={secret}"}
    return another(client).get("/api/v1/worklist", headers=cookie).status_code == 200


@pytest.mark.parametrize("name", ["anna", "berta"])
def test_a_new_log_in_ends_the_session_that_it_replaces(
    client: TestClient, database: Database, name: str
) -> None:
    old = log_in(client, "anna")
    new = log_in(client, name)
    assert not is_in(client, old)
    assert is_in(client, new)
    with database.read() as session:
        ended = [e.account for e in entries(session, limit=9) if e.action == AuditAction.LOGGED_OUT]
    assert ended == ["anna"]


def test_a_log_in_that_fails_ends_nothing(client: TestClient) -> None:
    old = log_in(client, "anna")
    sent = {
        "name": "anna",
        "password": "wrong",
        "form_token": token_of(client.get("/account").text),
    }
    assert client.post("/login", data=sent, headers=OWN).status_code == 401
    assert is_in(client, old)


def number_of(database: Database, secret: str) -> int:
    with database.read() as session:
        query = select(LoginSession.id).where(LoginSession.secret_sha256 == digest(secret))
        return session.scalars(query).one()


def test_people_see_where_they_are_logged_in_and_end_it(
    client: TestClient, database: Database
) -> None:
    own, there = log_in(client, "anna"), log_in(another(client), "anna")
    page = client.get("/account").text
    assert page.count("testclient") == 2
    assert "this browser" in page
    assert f"/account/sessions/{number_of(database, there)}/end" in page
    assert f"/account/sessions/{number_of(database, own)}/end" not in page
    address = f"/account/sessions/{number_of(database, there)}/end"
    assert client.post(address, data={"form_token": "wrong"}, headers=OWN).status_code == 403
    sent = {"form_token": token_of(page)}
    ended = client.post(address, data=sent, headers=OWN)
    assert (ended.status_code, ended.headers["location"]) == (303, "/account?ended=true")
    assert "has ended" in client.get("/account?ended=true").text
    assert not is_in(client, there)
    assert is_in(client, own)
    assert client.post(address, data=sent, headers=OWN).status_code == 404
    with database.read() as session:
        line = next(e for e in entries(session, limit=9) if e.action == AuditAction.SESSION_ENDED)
    assert (line.account, line.detail) == ("anna", {"subject": "anna"})


def test_nobody_ends_or_sees_a_session_of_somebody_else(
    client: TestClient, database: Database
) -> None:
    foreign = log_in(another(client), "berta")
    log_in(client, "anna")
    page = client.get("/account").text
    number = number_of(database, foreign)
    assert f"/sessions/{number}/" not in page
    sent = {"form_token": token_of(page)}
    answer = client.post(f"/account/sessions/{number}/end", data=sent, headers=OWN)
    assert answer.status_code == 404
    assert is_in(client, foreign)


def test_films_that_a_browser_keeps_go_when_its_session_has_ended(
    client: TestClient, database: Database
) -> None:
    """At the first answer to what the page asks by itself, too."""
    log_in(client, "anna")
    assert "clear-site-data" not in client.get("/").headers
    with database.write() as session:
        session.execute(update(LoginSession).values(used_at=NOW - timedelta(days=1)))
    for path in ("/", "/rows", "/api/v1/events/stream", f"/thumbnails/{'ab' * 32}.png"):
        answer = client.get(path, headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["clear-site-data"]) == (401, '"cache"'), path
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["clear-site-data"]) == (303, '"cache"')
    program = another(client).get("/api/v1/worklist")
    assert (program.status_code, "clear-site-data" in program.headers) == (401, False)


def test_a_thumbnail_of_a_session_is_asked_for_again_each_time(
    client: TestClient, settings: Settings, database: Database
) -> None:
    log_in(client, "anna")
    with database.write() as session:
        sha256 = an_image(session, NOW).sha256
    path = DerivedImages(settings.prepared_path).thumbnail(sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x89PNG")
    for address in (f"/thumbnails/{sha256}.png", f"/api/v1/images/{sha256}/thumbnail"):
        assert client.get(address).headers["cache-control"] == "private, no-cache"


def test_health_tells_strangers_nothing_but_the_state(client: TestClient) -> None:
    assert another(client).get("/healthz").json() == {"status": "ok"}


def test_a_record_of_a_session_holds_no_secret() -> None:
    assert not {"secret_sha256", "secret"} & set(SessionRecord.__slots__)
