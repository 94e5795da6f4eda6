"""The schema of SQLite databases, migrated once in a process and not once in each test.

All migrations take more than a tenth of a second; what they made is made in a twentieth of it.
Each database is made from nothing, by its own statements, in the transaction that would migrate it.
"""

from typing import Final

from sqlalchemy import Connection, inspect

from db import migrate

#: Runs every migration, as a site does.
RUN: Final = migrate._run_migrations
#: The statements that make what the migrations make; none before they were run once.
STATEMENTS: Final[list[str]] = []


def share_migrations() -> None:
    """Let empty SQLite databases be made as the first of this process became."""
    migrate._run_migrations = _run_once


def _run_once(connection: Connection) -> None:
    is_empty = connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()
    if not is_empty:
        RUN(connection)
    elif STATEMENTS:
        for statement in STATEMENTS:
            connection.exec_driver_sql(statement)
    else:
        RUN(connection)
        STATEMENTS.extend(_dump(connection))


def _dump(connection: Connection) -> list[str]:
    """The statements that make this database, without those that begin and end a transaction."""
    sqlite = connection.connection.driver_connection
    assert sqlite is not None
    return [line for line in sqlite.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
