"""Roles of PostgreSQL: an owner migrates, and the application may only add to history.

The triggers that keep history append-only belong to the tables' owner, who can drop them. A role
that owns nothing cannot: it may read and add, and neither change, remove nor empty what is there.
SQLite has no roles: whoever can write the file can change it.
"""

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from db.migrate import upgrade
from db.session import Database
from readfirst.errors import Misconfigured

#: Tables whose rows are only ever added.
HISTORY = ("audit", "events", "scores", "verdicts")
#: Written by migrations alone.
SCHEMA_VERSION = "alembic_version"


def migrate_as_owner(owner: Database, application_url: str) -> str:
    """Bring the schema up to date, and let the application's role use it. Returns the role.

    owner: the database by the role that owns its tables. application_url: by the application's
    role, which is made if there is none of its name, and the owner may. Raises Misconfigured.
    """
    url = make_url(application_url)
    if {owner.engine.dialect.name, url.get_backend_name()} != {"postgresql"} or not url.username:
        raise Misconfigured(
            "Roles are of PostgreSQL: both URLs name one, as postgresql+psycopg://."
        )
    if url.username == owner.engine.url.username:
        raise Misconfigured(
            f"The owner and the application are one role, {url.username}: "
            "READFIRST_DATABASE_URL has to name another one."
        )
    upgrade(owner)
    with owner.engine.begin() as connection:
        _make_role(connection, url.username, url.password)
        _grant(connection, url.username)
    return url.username


def alterable_history(database: Database) -> tuple[str, ...]:
    """The tables of history whose protection the role of these connections could take away.

    Empty on SQLite, which has no roles.
    """
    if database.engine.dialect.name != "postgresql":
        return ()
    query = text(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
        "AND tablename = ANY(:tables) AND (pg_has_role(current_user, tableowner, 'MEMBER') "
        "OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)) ORDER BY tablename"
    )
    with database.read() as session:
        return tuple(session.scalars(query, {"tables": list(HISTORY)}))


def _make_role(connection: Connection, role: str, password: str | None) -> None:
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.scalar(known, {"role": role}) is None:
        _run(connection, "CREATE ROLE {role} LOGIN PASSWORD {password}", role, password)


def _grant(connection: Connection, role: str) -> None:
    tables = connection.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    ).all()
    schema = str(connection.scalar(text("SELECT current_schema()")))
    _run(connection, "GRANT USAGE ON SCHEMA {schema} TO {role}", role, schema=schema)
    _run(connection, "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC", role, schema=schema)
    for table in tables:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        if table in HISTORY:
            rights = "SELECT, INSERT"
        elif table == SCHEMA_VERSION:
            rights = "SELECT"
        _run(connection, "REVOKE ALL ON {table} FROM {role}", role, table=table)
        _run(connection, f"GRANT {rights} ON {{table}} TO {{role}}", role, table=table)
    sequences = "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    _run(connection, sequences, role, schema=schema)


def _run(
    connection: Connection, statement: str, role: str, password: str | None = None, **names: str
) -> None:
    """Run a statement that takes no parameters, with its names quoted."""
    from psycopg import sql

    values = {name: sql.Identifier(value) for name, value in names.items()}
    composed = sql.SQL(statement).format(
        role=sql.Identifier(role), password=sql.Literal(password), **values
    )
    connection.connection.cursor().execute(composed)
