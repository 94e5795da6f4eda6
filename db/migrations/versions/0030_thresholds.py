"""Thresholds have versions of their own; studies name the one that they rank by."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Each ensemble has the threshold that it came with."""
    _make_table()
    op.execute(
        "INSERT INTO thresholds (ensemble_version, population, version, value, method, evidence, "
        "created_at, active, activated_at) SELECT version, 'all', 1, threshold, 'manifest', '{}', "
        "registered_at, true, registered_at FROM ensembles"
    )
    number = sa.Integer()
    op.add_column(
        "scores", sa.Column("threshold_version", number, nullable=False, server_default="1")
    )
    op.add_column("verdicts", sa.Column("threshold_version", number))
    op.add_column("studies", sa.Column("threshold", sa.Double()))
    op.add_column("studies", sa.Column("threshold_version", number))
    op.add_column(
        "studies", sa.Column("threshold_change", number, nullable=False, server_default="0")
    )
    op.execute(
        "UPDATE studies SET threshold_version = 1, threshold = "
        "(SELECT scores.threshold FROM scores WHERE scores.id = studies.score_id) "
        "WHERE score_id IS NOT NULL"
    )
    where = sa.text("read_at IS NULL AND score_id IS NOT NULL")
    op.create_index(
        "ix_studies_threshold_change",
        "studies",
        ["threshold_change", "id"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _make_table() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "thresholds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ensemble_version", sa.String(64), nullable=False),
        sa.Column("population", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("chosen_by", sa.Text()),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("activated_at", moment),
        sa.Column("change", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(
            ["ensemble_version"],
            ["ensembles.version"],
            name=op.f("fk_thresholds_ensemble_version_ensembles"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thresholds")),
        sa.UniqueConstraint(
            "ensemble_version",
            "population",
            "version",
            name=op.f("uq_thresholds_ensemble_version_population_version"),
        ),
    )
    op.create_index(
        "uq_thresholds_active",
        "thresholds",
        ["ensemble_version", "population"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
