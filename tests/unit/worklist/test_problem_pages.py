"""Errors: a page for whoever looks with a browser, problem+json for programs and scripts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from db.session import Database
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.people import add_people
from tests.unit.worklist.test_access import log_in
from worklist.app import make_app
from worklist.security.policy import policy

#: As Chromium and Firefox ask for a page, as htmx asks for a part of one, and as scripts do.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No error is another one on PostgreSQL."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def with_faults(settings: Settings) -> FastAPI:
    """The application, with two routes that fail."""

    @policy(Role.READER)
    def broken() -> None:
        raise RuntimeError("the secret of the server")

    @policy(Role.READER)
    def unreachable() -> None:
        raise OperationalError("select secret", {}, Exception("no connection"))

    app = make_app(settings)
    app.add_api_route("/broken", broken)
    app.add_api_route("/unreachable", unreachable)
    return app


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/help", 404, "There is no such page"),
        ("/studies/", 404, "There is no such page"),
        ("/api/v1/nothing", 404, "There is no such page"),
        ("/logout", 405, "This page cannot be opened by itself"),
        ("/?sort=foo", 422, "The address or the form is not understood"),
        ("/?from=2026-13-01", 422, "The address or the form is not understood"),
        ("/refused?code=foo", 422, "The address or the form is not understood"),
        ("/watching?from=2026-02-01&to=2026-01-01", 422, "The address or the form is not"),
        ("/broken", 500, "The server has a fault"),
        ("/unreachable", 503, "The server cannot answer at the moment"),
    ],
)
def test_a_browser_is_shown_a_page_and_a_program_a_problem(
    settings: Settings, path: str, status: int, heading: str
) -> None:
    with TestClient(with_faults(settings), raise_server_exceptions=False) as client:
        page = client.get(path, headers=BROWSER)
        assert page.status_code == status
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert int(page.headers["content-length"]) == len(page.content)
        assert heading in page.text
        assert 'href="/"' in page.text, "the way on"
        assert "secret" not in page.text
        assert client.head(path, headers=BROWSER).content == b""
        for headers in (PROGRAM, {}, BROWSER | {"HX-Request": "true"}):
            problem = client.get(path, headers=headers)
            assert problem.status_code == status
            assert problem.headers["content-type"] == "application/problem+json"
            assert problem.headers["vary"] == "Accept"
            assert problem.json()["status"] == status


def test_the_page_says_what_is_wrong_and_repeats_nothing(client: TestClient) -> None:
    page = client.get("/?sort=Lopez&from=2026-13-01", headers=BROWSER).text
    assert "<code>sort</code>" in page
    assert "<code>from</code>" in page
    assert "Lopez" not in page


def test_a_server_fault_offers_to_try_again(settings: Settings) -> None:
    with TestClient(with_faults(settings), raise_server_exceptions=False) as client:
        for path in ("/broken", "/unreachable"):
            page = client.get(path, headers=BROWSER).text
            assert '<a class="button" href="">Try again</a>' in page
        assert client.get("/unreachable", headers=BROWSER).headers["retry-after"] == "5"
        assert "Try again" not in client.get("/help", headers=BROWSER).text


def test_whoever_may_not_see_a_page_is_told_so_in_words(
    client: TestClient, database: Database
) -> None:
    add_people(database, datetime.now(UTC))
    log_in(client, "reader")
    page = client.get("/watching", headers=BROWSER)
    assert page.status_code == 403
    assert "You have no access to this page" in page.text
    assert "Worklist</a>" in page.text, "the navigation stays"
    assert "Log out" in page.text
    assert client.get("/watching", headers=PROGRAM).json()["title"] == "Forbidden"


def test_a_form_that_is_too_old_is_answered_with_a_page(
    client: TestClient, database: Database
) -> None:
    add_people(database, datetime.now(UTC))
    log_in(client, "reader")
    own = {"Sec-Fetch-Site": "same-origin"}
    page = client.post("/logout", data={"form_token": "old"}, headers=BROWSER | own)
    assert page.status_code == 403
    assert "This form is too old: load the page again." in page.text
