"""Engines and transactions. A caller opens one transaction and hands its session down."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.selectable import TypedReturnsRows

from readfirst.errors import Misconfigured

#: How long a SQLite writer waits for another one.
SQLITE_BUSY_SECONDS = 30
SUPPORTED = ("sqlite", "postgresql")
Columns = TypeVarTuple("Columns")


class Database:
    """A database: `read()` and `write()` each open a session in one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(readfirst_write=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write; committed at the end, rolled back on an error."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def fault(self, error: DBAPIError) -> str:
        """Say why it does not answer; a file by its path, and a server without its password."""
        url = self.engine.url
        where = f" ({url.database})" if url.get_backend_name() == "sqlite" else ""
        return f"The database does not answer{where}: {str(error.orig).strip()}"

    def dispose(self) -> None:
        """Close every connection: one that a thread still uses, when it is given back."""
        if not event.contains(self.engine, "checkin", _close_given_back):
            event.listen(self.engine, "checkin", _close_given_back)
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Make the engine for a SQLAlchemy URL; nothing is connected yet.

    Errors show no parameters of queries, which are patients' data. Raises Misconfigured for a URL
    that is no database of the supported kinds.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in SUPPORTED:
            raise Misconfigured(
                f"READFIRST_DATABASE_URL: {parsed.get_backend_name()} is not one of "
                f"{', '.join(SUPPORTED)}"
            )
        if parsed.get_backend_name() == "sqlite":
            return Database(_sqlite_engine(url))
        return Database(create_engine(url, pool_pre_ping=True, hide_parameters=True))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise Misconfigured(f"READFIRST_DATABASE_URL is not usable: {error}") from error


def insert_into(session: Session, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the session's own database, which knows `on_conflict_do_nothing`."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def rows_of(
    session: Session, query: TypedReturnsRows[*Columns], values: Mapping[str, Any] | None = None
) -> CursorResult[*Columns]:
    """The rows of a query for columns; one for objects goes to the session itself.

    For what is asked with every page: the session takes longer, since it makes ready to give
    objects. values: by the names of the query's parameters.
    """
    session.flush()
    return session.connection().execute(query, values)


def is_passing(error: DBAPIError) -> bool:
    """Tell whether an error is of the connection or the server, and not of what was asked."""
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _close_given_back(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def _sqlite_engine(url: str) -> Engine:
    timeout = {"timeout": SQLITE_BUSY_SECONDS}
    engine = create_engine(url, connect_args=timeout, hide_parameters=True)
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: `_sqlite_begin` says which kind.
    connection.isolation_level = None
    # Its own knows ASCII alone, and would not find DÍAZ by díaz.
    connection.create_function("lower", 1, _lower, deterministic=True)
    _use_wal(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    """Keep a write-ahead log. Of processes that open a new file together, one makes it.

    SQLite does not wait for that lock by itself, whatever its timeout says.
    """
    last = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= last:
                raise
            time.sleep(0.02)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _sqlite_begin(connection: Connection) -> None:
    # A read transaction cannot wait to become a write one: it fails at once (SQLITE_BUSY_SNAPSHOT).
    write = connection.get_execution_options().get("readfirst_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
