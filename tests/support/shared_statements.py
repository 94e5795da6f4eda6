"""Statements that all databases of a test process share, compiled once for each kind of database.

SQLAlchemy keeps what it compiled by engine, and each test has engines of its own: to compile the
same statements anew took a fourth of the time of tests with a database.
"""

from typing import Any, Final

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import CompiledCacheType

import db.session

#: What was compiled, by dialect.
COMPILED: Final[dict[type, CompiledCacheType | None]] = {}


def share_statements() -> None:
    """Let every database that is opened in this process share statements, from now on.

    The engines of one kind differ in nothing but their addresses: so their dialects, by which
    statements are kept, are equal.
    """
    patch = pytest.MonkeyPatch()
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(dialect, "__eq__", _is_same_kind)
        patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
    patch.setattr(db.session, "create_engine", _sharing)


def _sharing(url: str, **options: Any) -> Engine:
    engine = create_engine(url, query_cache_size=2000, **options)
    engine._compiled_cache = COMPILED.setdefault(type(engine.dialect), engine._compiled_cache)
    return engine


def _is_same_kind(self: object, other: object) -> bool:
    return type(self) is type(other)
