"""Alembic's entry: runs on the connection that `db.migrate` hands over."""

from alembic import context

from db.access_tables import AuditEntry

context.configure(
    connection=context.config.attributes["connection"],
    # Of all tables: this module's import brings in those of `db.tables` too.
    target_metadata=AuditEntry.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
