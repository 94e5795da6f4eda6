"""Sharing between the tests of a process: it keeps none of them from being alone."""

from pathlib import Path

from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from db.session import open_database
from readfirst.settings import Settings
from tests.support.shared_routes import RESOLVED
from tests.support.shared_statements import COMPILED
from worklist.app import make_app


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
