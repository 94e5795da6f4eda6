"""Databases that tests of a module fill by copying are as if each had been filled by itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from db.session import Database, open_database
from db.tables import Base, Image, Score
from tests.support.filled_databases import FilledDatabases
from tests.support.studies import a_scored_image, an_ensemble, an_image


@pytest.fixture
def second(
    database: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Database]:
    """Another empty database of the same kind."""
    if database.engine.dialect.name == "sqlite":
        path = tmp_path / "second.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.dispose()
        return
    template = request.getfixturevalue("migrated_template")
    with request.getfixturevalue("postgresql").new_database(template) as url:
        opened = open_database(url)
        yield opened
        opened.dispose()


def rows(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_a_database_is_filled_once_and_copied_from_then_on(
    database: Database, second: Database
) -> None:
    fills = []

    def fill() -> None:
        fills.append(database)
        with database.write() as session:
            an_ensemble(session)
            a_scored_image(session, probability=0.9)

    filled = FilledDatabases()
    filled.fill(database, fill)
    filled.fill(second, fill)
    filled.close()
    assert fills == [database]
    assert rows(second) == rows(database)
    numbers = []
    for each in (database, second):
        with each.write() as session:
            assert session.scalar(select(func.count()).select_from(Score)) == 1
            an_image(session)
            numbers.append(session.scalars(select(Image.id).order_by(Image.id)).all())
        with pytest.raises(DBAPIError, match="append-only"), each.write() as session:
            session.execute(text("DELETE FROM scores"))
    assert numbers[0] == numbers[1]
