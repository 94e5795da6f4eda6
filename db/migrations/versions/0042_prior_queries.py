"""The earlier films of a study's patient are asked for once at each source."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "prior_queries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prior_queries"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_prior_queries_source_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_prior_queries_study_id"),
        sa.UniqueConstraint("study_id", "source_id", name="uq_prior_queries_study_id_source_id"),
    )
    op.create_index(
        "ix_prior_queries_source_id_asked_at", "prior_queries", ["source_id", "asked_at"]
    )
