"""Bring a database to the newest schema, whoever starts first.

Alembic is imported only where something is to be done: every command and every process asks
whether there is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from db.session import Database
from readfirst.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
#: The table in which Alembic keeps the revision of the schema.
REVISION_TABLE = "alembic_version"
#: Any number, the same in every process: PostgreSQL's advisory lock on the schema.
SCHEMA_LOCK = 0x5245_4144
#: PostgreSQL's SQLSTATE.
INSUFFICIENT_PRIVILEGE = "42501"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Processes that start together wait for each other.

    Raises Unavailable where the database does not answer, Misconfigured for a newer schema, and
    where the role may not change it.
    """
    try:
        _upgrade(database)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise Misconfigured(
                "The database has the schema of another release, and this role may not change it: "
                "run `readfirst migrate` with READFIRST_DATABASE_OWNER_URL."
            ) from error
        raise Unavailable(database.fault(error)) from error


def _upgrade(database: Database) -> None:
    with database.engine.execution_options(readfirst_write=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
        if not _is_current(connection):
            _run_migrations(connection)


def is_current(database: Database) -> bool:
    """Tell whether the schema is the one this code expects."""
    with database.engine.connect() as connection:
        return _is_current(connection)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table(REVISION_TABLE):
        return False
    revisions = connection.scalars(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608
    return revisions.all() == [newest_revision()]


def newest_revision() -> str:
    """The revision that the migrations lead to: their files begin with theirs, in order."""
    names = (path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return max(names).partition("_")[0]


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(connection), "head")
    except CommandError as error:
        raise Misconfigured(
            "The database has a schema that this release does not know: a newer one made it."
        ) from error


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    # `%` begins a name to be filled in.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
