"""Patients that were merged by the radiology information system."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "patient_merges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Text(), nullable=False),
        sa.Column("merged_issuer", sa.Text(), nullable=True),
        sa.Column("surviving_id", sa.Text(), nullable=False),
        sa.Column("surviving_issuer", sa.Text(), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merges")),
    )
    op.create_index("ix_patient_merges_merged_id", "patient_merges", ["merged_id"])
    op.create_index("ix_patient_merges_surviving_id", "patient_merges", ["surviving_id"])
