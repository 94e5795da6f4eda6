"""Alembic's entry: runs on the connection that `db.migrate` hands over."""

from alembic import context

from db.access_tables import AuditEntry
from db.alert_tables import AlertRow  # noqa: F401 - brings in its table
from db.heat_map_tables import HeatMap  # noqa: F401 - brings in its table
from db.verdict_tables import Verdict  # noqa: F401 - brings in its table

context.configure(
    connection=context.config.attributes["connection"],
    # Of all tables: these modules' imports bring in those of `db.tables` too.
    target_metadata=AuditEntry.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
