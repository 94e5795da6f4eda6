"""Sharing between the tests of a process: it keeps none of them from being alone."""

import re
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text

from db import migrate
from db.session import open_database
from readfirst.settings import Settings
from tests.support.shared_migrations import RUN, STATEMENTS
from tests.support.shared_routes import RESOLVED
from tests.support.shared_statements import COMPILED
from worklist.app import make_app

#: Kept in the file.
PRAGMAS = ("journal_mode", "user_version", "application_id", "page_size", "auto_vacuum")


def paths(settings: Settings) -> list[str | None]:
    return [route.path for route in iter_route_contexts(make_app(settings).routes)]


def test_a_route_that_a_test_adds_is_in_no_other_application(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    before = paths(settings)
    app = make_app(settings)
    app.get("/new")(lambda: None)
    assert "/new" in [route.path for route in iter_route_contexts(app.routes)]
    assert paths(settings) == before


def test_applications_with_another_limit_have_routes_of_their_own(tmp_path: Path) -> None:
    limits = [Settings(home=tmp_path, upload_megabytes=megabytes) for megabytes in (3, 5)]
    assert paths(limits[0]) == paths(limits[1])
    assert {3 * 1024**2, 5 * 1024**2} <= set(RESOLVED)
    assert RESOLVED[3 * 1024**2] is not RESOLVED[5 * 1024**2]


def test_databases_share_what_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    answers = []
    sizes = []
    for name in ("a", "b"):
        database = open_database(f"sqlite:///{tmp_path / name}.db")
        with database.write() as session:
            session.execute(text("CREATE TABLE words (word TEXT)"))
            session.execute(text("INSERT INTO words VALUES (:word)"), {"word": name})
        with database.read() as session:
            answers.append(session.scalars(text("SELECT word FROM words")).all())
        sizes.append(len(COMPILED[type(database.engine.dialect)] or ()))
        database.dispose()
    assert answers == [["a"], ["b"]]
    assert sizes[0] == sizes[1] > 0


def statements(opened: sqlite3.Connection) -> list[list[str]]:
    """Alembic writes the constraints of a table that it copies in any order."""
    return [sorted(re.split(r",?\s*\n\s*", line)) for line in opened.iterdump()]


def test_a_database_is_made_as_the_migrations_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps = []
    for name in ("first", "shared", "migrated"):
        if name == "migrated":
            monkeypatch.setattr(migrate, "_run_migrations", RUN)
        path = tmp_path / f"{name}.db"
        database = open_database(f"sqlite:///{path}")
        migrate.upgrade(database)
        assert migrate.is_current(database)
        database.dispose()
        assert STATEMENTS
        with closing(sqlite3.connect(path)) as opened:
            settings = [opened.execute(f"PRAGMA {name}").fetchone() for name in PRAGMAS]
            dumps.append((settings, statements(opened)))
    assert dumps[0] == dumps[1] == dumps[2]


def app_of_answers() -> FastAPI:
    """An application with an answer in parts, one that echoes, and one that fails."""
    app = FastAPI()

    @app.get("/parts")
    def parts() -> StreamingResponse:
        return StreamingResponse(iter(["one", "two"]), headers={"x-of": "parts"}, status_code=202)

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(f"{request.url} {await request.body()!r} {request.headers['x-own']}")

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("on purpose")

    return app


@pytest.mark.parametrize("is_open", [True, False])
def test_an_answer_that_is_fetched_whole_is_the_one_of_the_stream(is_open: bool) -> None:
    client = TestClient(app_of_answers(), raise_server_exceptions=False)
    requests = (
        client.build_request("GET", "/parts?a=b%20c&a=d"),
        client.build_request("HEAD", "/parts"),
        client.build_request("POST", "/echo?x=%C3%A9", content=b"abc", headers={"x-own": "1"}),
        client.build_request("POST", "/echo", data={"a": "b"}, headers={"x-own": "2"}),
        client.build_request("GET", "/fault"),
        client.build_request("GET", "/nowhere"),
    )
    with client if is_open else nullcontext():
        for request in requests:
            whole, streamed = (client.send(request, stream=stream) for stream in (False, True))
            streamed.read()
            assert whole.content == streamed.content
            assert (whole.status_code, whole.headers) == (streamed.status_code, streamed.headers)


def test_a_fault_of_an_application_reaches_the_test() -> None:
    with (
        TestClient(app_of_answers()) as client,
        pytest.raises(RuntimeError, match="on purpose"),
    ):
        client.get("/fault")
