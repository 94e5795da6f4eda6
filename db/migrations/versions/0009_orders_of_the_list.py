"""Indexes of the orders in which the list is shown, of unread studies and of all."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SORTED_BY = ("received_at", "study_datetime", "probability", "patient_name")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.drop_index("ix_studies_received_at", table_name="studies")
    for name in SORTED_BY:
        op.create_index(f"ix_studies_{name}_order", "studies", [name, "id"])
        _create_unread(f"ix_studies_unread_{name}_order", [name, "id"], "read_at IS NULL")
    _create_unread(
        "ix_studies_unread_flagged_order",
        ["urgency", "reading_key", "id"],
        "read_at IS NULL AND flagged",
    )
    op.create_index(
        "ix_studies_institution_order",
        "studies",
        ["institution_name", "urgency", "reading_key", "id"],
    )


def _create_unread(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "studies", columns, sqlite_where=where, postgresql_where=where)
