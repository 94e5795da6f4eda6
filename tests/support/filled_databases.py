"""Rows that tests of a module share, made once for each kind of database and then copied."""

import sqlite3
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, func, select, text

from db.session import Database
from db.tables import Base

Result = TypeVar("Result")


class FilledDatabases:
    """Fills empty databases alike: with the same rows, behind which the same numbers follow."""

    def __init__(self) -> None:
        self._sqlite: sqlite3.Connection | None = None
        self._tables: dict[str, bytes] | None = None
        self._sequences: dict[str, int] = {}

    def fill(self, database: Database, make: Callable[[], None]) -> None:
        """Fill a database that has the newest schema and no rows.

        make: makes the rows in it, if it is the first of its kind.
        """
        if database.engine.dialect.name == "sqlite":
            self._fill_sqlite(database, make)
        else:
            self._fill_postgresql(database, make)

    def close(self) -> None:
        """Forget the rows."""
        if self._sqlite is not None:
            self._sqlite.close()

    def _fill_sqlite(self, database: Database, make: Callable[[], None]) -> None:
        if self._sqlite is not None:
            with database.engine.connect() as connection:
                self._sqlite.backup(_driver(connection))
            return
        make()
        with database.engine.connect() as connection:
            self._sqlite = sqlite3.connect(":memory:", check_same_thread=False)
            _driver(connection).backup(self._sqlite)

    def _fill_postgresql(self, database: Database, make: Callable[[], None]) -> None:
        if self._tables is not None:
            with database.engine.begin() as connection:
                _write_tables(connection, self._tables)
                for sequence, last in self._sequences.items():
                    connection.execute(select(func.setval(sequence, last)))
            return
        make()
        with database.engine.connect() as connection:
            self._tables = _read_tables(connection)
            rows = connection.execute(text("SELECT sequencename, last_value FROM pg_sequences"))
            # One that nothing was taken from has no last value.
            self._sequences = {name: last for name, last in rows if last is not None}


class FilledOnce(Generic[Result]):
    """Fills databases by the same function, which is called once for each kind.

    fill: what it returns has to be the same for each database.
    """

    def __init__(self, fill: Callable[[Database], Result]) -> None:
        self._fill = fill
        self._databases = FilledDatabases()
        self._results: dict[str, Result] = {}

    def into(self, database: Database) -> Result:
        """Fill a database that has the newest schema and no rows."""
        kind = database.engine.dialect.name

        def make() -> None:
            self._results[kind] = self._fill(database)

        self._databases.fill(database, make)
        return self._results[kind]


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _read_tables(connection: Connection) -> dict[str, bytes]:
    """The rows of each table, parents first."""
    tables, cursor = {}, _driver(connection).cursor()
    for table in Base.metadata.sorted_tables:
        with cursor.copy(f"COPY {table.name} TO STDOUT") as copy:
            tables[table.name] = b"".join(map(bytes, copy))
    return tables


def _write_tables(connection: Connection, tables: dict[str, bytes]) -> None:
    # The rows that triggers made are among those that are copied.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    cursor = _driver(connection).cursor()
    cursor.execute("; ".join(f"DELETE FROM {name}" for name in tables))
    for name, rows in tables.items():
        if rows:
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(rows)
