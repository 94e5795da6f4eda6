"""Bring a database to the newest schema, whoever starts first."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
#: Any number, the same in every process: PostgreSQL's advisory lock on the schema.
SCHEMA_LOCK = 0x5245_4144


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Processes that start together wait for each other."""
    with database.engine.execution_options(readfirst_write=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
        if not _is_current(connection):
            command.upgrade(_config(connection), "head")


def is_current(database: Database) -> bool:
    """Whether the schema is the one this code expects."""
    with database.engine.connect() as connection:
        return _is_current(connection)


def _is_current(connection: Connection) -> bool:
    heads = ScriptDirectory.from_config(_config(connection)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
