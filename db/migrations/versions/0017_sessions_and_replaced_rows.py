"""From where a session was opened; and rows of history that nobody replaces by inserting."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: By table: the sentence, and when a row is there already (SQLite).
APPEND_ONLY = {
    "audit": ("audit entries are append-only", "id = NEW.id"),
    "events": ("events are append-only", "id = NEW.id"),
    "scores": (
        "scores are append-only",
        "id = NEW.id OR (image_id = NEW.image_id AND ensemble_version = NEW.ensemble_version)",
    ),
    "verdicts": ("verdicts are append-only", "id = NEW.id"),
}


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("login_sessions", sa.Column("address", sa.String(length=64), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        # INSERT OR REPLACE deletes the row that is there, and fires no trigger of DELETE.
        for table, (says, is_there) in APPEND_ONLY.items():
            known = f"SELECT 1 FROM {table} WHERE {is_there}"  # noqa: S608 - constants
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS ({known}) BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )
        return
    for table in ("events", "scores"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        )
