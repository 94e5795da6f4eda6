"""Priors: studies that came in for comparison, and are no unread work."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

READING_ORDER = ["urgency", "reading_key", "id"]
UNREAD = "read_at IS NULL AND prior_since IS NULL"
#: Indexes of unread studies, with their columns and what else must hold.
UNREAD_INDEXES = {
    "ix_studies_unread_order": (READING_ORDER, ""),
    "ix_studies_unread_flagged_order": (READING_ORDER, " AND flagged"),
    **{
        f"ix_studies_unread_{name}_order": ([name, "id"], "")
        for name in ("received_at", "study_datetime", "probability", "patient_name")
    },
}


def upgrade() -> None:
    """Bring the schema to this revision.

    No study becomes a prior here: what is unread stays so, until something of its patient comes in.
    """
    # They are counted again, without the priors.
    op.execute("DELETE FROM kept_days")
    op.add_column("studies", sa.Column("prior_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "studies",
        sa.Column("never_prior", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    for name, (columns, more) in UNREAD_INDEXES.items():
        op.drop_index(name, "studies")
        _create(name, columns, f"{UNREAD}{more}")
    _create("ix_studies_prior_order", READING_ORDER, "prior_since IS NOT NULL")


def _create(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "studies", columns, sqlite_where=where, postgresql_where=where)
