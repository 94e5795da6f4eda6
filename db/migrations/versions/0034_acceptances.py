"""Ensembles are accepted at a site: a report, and the lead who signed it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ensemble_version", sa.String(64), nullable=False),
        sa.Column("threshold_version", sa.Integer(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text()),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("signed_by", sa.String(64)),
        sa.Column("signed_at", moment),
        sa.ForeignKeyConstraint(
            ["ensemble_version"],
            ["ensembles.version"],
            name=op.f("fk_acceptances_ensemble_version_ensembles"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptances")),
    )
    op.create_index("ix_acceptances_ensemble_version", "acceptances", ["ensemble_version"])
