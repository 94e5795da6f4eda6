import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.migrate import is_current, upgrade
from db.session import Database, open_database
from db.tables import Base
from readfirst.errors import Misconfigured
from tests.db.builders import NOW, a_scored_image


def test_the_migrations_make_the_schema_that_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    databases = [open_database(database_url) for _ in range(4)]
    threads = [threading.Thread(target=upgrade, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(is_current(one) for one in databases)
    for one in databases:
        one.dispose()


def test_a_new_database_is_not_current(database_url: str) -> None:
    database = open_database(database_url)
    assert not is_current(database)
    database.dispose()


@pytest.mark.parametrize("table", ["scores", "events"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id + 1000", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_history(
    database: Database, table: str, change: str
) -> None:
    with database.write() as session:
        a_scored_image(session, at=NOW, probability=0.9)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(change.format(table)))


def test_an_unknown_kind_of_database_is_named() -> None:
    with pytest.raises(Misconfigured, match="mysql"):
        open_database("mysql://localhost/readfirst")
