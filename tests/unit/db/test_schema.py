import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import migrate
from db.access.audit import Actor, AuditAction, note
from db.lifecycle.verdicts import VerdictInput
from db.migrate import MIGRATIONS, is_current, newest_revision, upgrade
from db.session import Database, open_database
from db.tables import Base
from readfirst.errors import Misconfigured
from tests.support.shared_migrations import RUN
from tests.support.studies import NOW, a_scored_image, give_verdict


def test_the_migrations_make_the_schema_that_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_processes_that_start_together_migrate_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_run_migrations", RUN)
    databases = [open_database(database_url) for _ in range(4)]
    threads = [threading.Thread(target=upgrade, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(is_current(each) for each in databases)
    for each in databases:
        each.dispose()


def test_the_newest_revision_is_the_one_that_the_migrations_lead_to() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


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


@pytest.mark.parametrize("table", ["audit", "events", "scores", "verdicts"])
@pytest.mark.parametrize(
    "change",
    [
        "INSERT OR REPLACE INTO {0} SELECT * FROM {0}",
        "REPLACE INTO {0} SELECT * FROM {0}",
        "INSERT INTO {0} SELECT * FROM {0} WHERE true ON CONFLICT (id) DO UPDATE SET id = 9",
        "UPDATE OR REPLACE {0} SET id = 9",
    ],
)
def test_no_row_of_history_is_replaced_on_sqlite(
    migrated_file: Path, tmp_path: Path, table: str, change: str
) -> None:
    """By a connection of anybody's, which has not our settings either."""
    path = tmp_path / "readfirst.db"
    shutil.copy(migrated_file, path)
    database = open_database(f"sqlite:///{path}")
    with_history(database)
    database.dispose()
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute(f"SELECT * FROM {table}").fetchall()
        assert before
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(change.format(table))
        connection.rollback()
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == before


def test_a_score_is_not_replaced_by_another_row_on_sqlite(
    migrated_file: Path, tmp_path: Path
) -> None:
    """A score is one of an image and a version too, and not of its number alone."""
    path = tmp_path / "readfirst.db"
    shutil.copy(migrated_file, path)
    database = open_database(f"sqlite:///{path}")
    with_history(database)
    database.dispose()
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(scores)")]
        names = ", ".join(columns)
        others = ", ".join("99" if name == "id" else name for name in columns)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(
                f"INSERT OR REPLACE INTO scores ({names}) SELECT {others} FROM scores"
            )


@pytest.mark.parametrize("table", ["audit", "events", "scores", "verdicts"])
def test_history_is_not_emptied_on_postgresql(new_postgresql_database: str, table: str) -> None:
    """Not by its owner either, who would have to drop the triggers first."""
    database = open_database(new_postgresql_database)
    upgrade(database)
    with_history(database)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(f"TRUNCATE {table} CASCADE"))
    database.dispose()


def with_history(database: Database) -> None:
    """Give each table of history a row."""
    with database.write() as session:
        image = a_scored_image(session, at=NOW, probability=0.9)
        give_verdict(session, image.study.study_instance_uid, VerdictInput())
        note(session, Actor(None, None), AuditAction.LOGGED_IN, NOW)
