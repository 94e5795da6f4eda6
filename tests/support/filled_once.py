"""Databases of tests that hold the same: filled once in a process, and then copied.

To add a study, to claim it and to score it takes tens of milliseconds; to copy the rows takes a
few. Each database has rows of its own, so that no test sees what another one does.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from db.session import Database

Result = TypeVar("Result")
#: Which tables hold something, and up to where sequences have counted.
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES: Final = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
#: Rows are put as they were, whatever refers to whatever, and no trigger makes others of them.
_AS_THEY_WERE: Final = "SET LOCAL session_replication_role = replica"


class FilledOnce(Generic[Result]):
    """Fills databases at the newest schema that hold nothing yet, and that somebody may have open.

    fill: what it returns has to be the same for each database.
    """

    def __init__(self, fill: Callable[[Database], Result]) -> None:
        self._fill = fill
        self._results: dict[str, Result] = {}
        self._copies: dict[str, Any] = {}

    def into(self, database: Database) -> Result:
        kind = database.engine.dialect.name
        save, load = (_save_file, _load_file) if kind == "sqlite" else (_save_rows, _load_rows)
        is_first = kind not in self._results
        if is_first:
            self._results[kind] = self._fill(database)
        raw = database.engine.raw_connection()
        try:
            if is_first:
                self._copies[kind] = save(raw.driver_connection)
            else:
                load(raw.driver_connection, self._copies[kind])
        finally:
            raw.close()
        return self._results[kind]


def _save_file(connection: Any) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    connection.backup(copy)
    return copy


def _load_file(connection: Any, copy: sqlite3.Connection) -> None:
    copy.backup(connection)


def _save_rows(connection: Any) -> str:
    """The statements that put every row of a PostgreSQL database into one that holds nothing."""
    statements = [_AS_THEY_WERE]
    for (table,) in connection.execute(_TABLES).fetchall():
        query = f"SELECT CAST(json_agg(t) AS text) FROM {table} t"
        (rows,) = connection.execute(query).fetchone()
        if rows is not None:
            put = f"SELECT * FROM json_populate_recordset(null::{table}, $rows${rows}$rows$)"
            statements += [f"DELETE FROM {table}", f"INSERT INTO {table} {put}"]
    for sequence, value in connection.execute(_SEQUENCES).fetchall():
        statements.append(f"SELECT setval('{sequence}', {value})")
    connection.rollback()
    return "; ".join(statements)


def _load_rows(connection: Any, statements: str) -> None:
    connection.execute(statements)
    connection.commit()
