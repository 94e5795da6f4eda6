"""HEAD on every route: what GET answers, without its body."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from db.access import accounts
from db.session import Database
from readfirst.access.credentials import digest, new_token
from readfirst.access.roles import Role
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.access_table import filled
from tests.support.films import a_kept_film
from worklist.app import make_app
from worklist.security.routes import policies

#: It never ends: `tests/integration/worklist/test_stream.py` asks it.
STREAM = "GET /api/v1/events/stream"
#: Values of the path, and the rest of what is mounted.
NO_STUDY, METHOD, STATIC = "1.2.3", "grad-cam", "/worklist/main.js"
#: A moment; and the length, which counts how much the service itself did until then.
CHANGING = ("date", "content-length")
#: What they answer is another thing at each look: it has the time, or grows by the look.
OF_THE_MOMENT = ("/api/v1/admin/status", "/api/v1/admin/audit")


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


def test_every_route_answers_as_by_get_without_a_body(
    client: TestClient, settings: Settings, database: Database
) -> None:
    sha256 = a_kept_film(database, settings, FOLDER / "film-01.jpg")
    values = {"sha256": sha256, "study_instance_uid": NO_STUDY, "method": METHOD}
    assert isinstance(client.app, FastAPI)
    routes = [name for name in policies(client.app) if name.startswith("GET ") and name != STREAM]
    statuses = []
    for name in routes:
        path = filled(name.removeprefix("GET "), **values)
        path += STATIC if path == "/static" else ""
        by_get, by_head = client.get(path), client.head(path)
        assert by_head.status_code == by_get.status_code, path
        assert by_head.content == b"", path
        headers = [
            {name: value for name, value in answer.headers.items() if name not in CHANGING}
            for answer in (by_get, by_head)
        ]
        if path in OF_THE_MOMENT:
            assert headers[0].pop("etag") != headers[1].pop("etag"), path
        assert headers[0] == headers[1], path
        statuses.append(by_get.status_code)
    assert len(routes) > 30
    assert statuses.count(200) > 20


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/api/v1/worklist"])
def test_what_monitors_ask_is_answered(client: TestClient, path: str) -> None:
    assert client.head(path).status_code == client.get(path).status_code != 405


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/logout", 405), ("/api/v1/worklist?limit=0", 422)]
)
def test_errors_are_the_same(client: TestClient, path: str, status: int) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (status, b"")
    assert client.get(path).status_code == status


def test_what_a_client_has_is_not_modified(client: TestClient) -> None:
    etag = client.head("/api/v1/worklist").headers["etag"]
    again = client.head("/api/v1/worklist", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_range_is_of_get_alone(client: TestClient) -> None:
    """RFC 9110 14.2."""
    path, part = "/static/worklist/main.js", {"Range": "bytes=0-9"}
    assert client.get(path, headers=part).status_code == 206
    whole = client.head(path, headers=part)
    assert whole.status_code == 200
    assert int(whole.headers["content-length"]) == len(client.get(path).content)


def test_nobody_sees_more_by_head(settings: Settings, database: Database) -> None:
    token = new_token()
    new = accounts.NewAccount(name="pacs", role=Role.SERVICE, token_sha256=digest(token))
    with database.write() as session:
        accounts.add(session, new, NOW)
    with TestClient(make_app(settings), follow_redirects=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.head("/api/v1/worklist").status_code == 401
        assert client.head("/api/v1/worklist", headers=headers).status_code == 200
        assert client.head("/watching", headers=headers).status_code == 403
