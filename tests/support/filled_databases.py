"""Rows that tests of a module share, made once for each kind of database and then copied."""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from db.session import Database
from db.tables import Base


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
        is_sqlite = database.engine.dialect.name == "sqlite"
        kept = self._sqlite if is_sqlite else self._tables
        if kept is None:
            make()
        with database.engine.connect() as connection:
            step = self._copy_sqlite if is_sqlite else self._copy_postgresql
            step(connection, is_first=kept is None)

    def close(self) -> None:
        """Forget the rows."""
        if self._sqlite is not None:
            self._sqlite.close()

    def _copy_sqlite(self, connection: Connection, *, is_first: bool) -> None:
        opened: Any = connection.connection.driver_connection
        if is_first:
            self._sqlite = sqlite3.connect(":memory:")
            opened.backup(self._sqlite)
        else:
            assert self._sqlite is not None
            self._sqlite.backup(opened)

    def _copy_postgresql(self, connection: Connection, *, is_first: bool) -> None:
        cursor: Any = connection.connection.cursor()
        names = [table.name for table in Base.metadata.sorted_tables]
        if is_first:
            self._tables = {}
            for name in names:
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    self._tables[name] = b"".join(map(bytes, copy))
            rows = connection.execute(text("SELECT sequencename, last_value FROM pg_sequences"))
            self._sequences = {row.sequencename: row.last_value for row in rows}
            return
        assert self._tables is not None
        # The rows that triggers made are among those that are copied.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in names:
            cursor.execute(f"DELETE FROM {name}")
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(self._tables[name])
        for sequence, last in self._sequences.items():
            if last is not None:
                cursor.execute(f"SELECT setval('{sequence}', {last})")
        connection.connection.commit()
