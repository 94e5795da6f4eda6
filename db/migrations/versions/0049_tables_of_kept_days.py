"""Kept days have a column for each table, so that a figure reads its own: they are made anew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0049"
down_revision: str | None = "0048"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("films", "studies", "ignored", "opinions", "scores", "exposures")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.drop_table("kept_days")
    op.create_table(
        "kept_days",
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        *(sa.Column(table, sa.LargeBinary(), nullable=False) for table in TABLES),
        sa.PrimaryKeyConstraint("zone", "day", name="pk_kept_days"),
    )
    op.create_index("ix_kept_days_starts_at", "kept_days", ["starts_at", "ends_at"])
