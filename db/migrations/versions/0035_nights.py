"""Nights are rows, with what each changed of a study."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "nights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("ensemble_version", sa.String(64), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ends_by", moment),
        sa.Column("films_an_hour", sa.Integer()),
        sa.Column("paced_until", moment, nullable=False),
        sa.Column("ranked", sa.Boolean(), nullable=False),
        sa.Column("reached_image", sa.Integer()),
        sa.Column("closed_because", sa.String(16)),
        sa.Column("moved_at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("left_before", sa.Integer(), nullable=False),
        sa.Column("left_after", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_nights"),
        sa.ForeignKeyConstraint(
            ["ensemble_version"], ["ensembles.version"], name="fk_nights_ensemble_version"
        ),
    )
    for name, columns in (("running", ["running"]), ("planned", ["day", "ensemble_version"])):
        op.create_index(
            f"uq_nights_{name}",
            "nights",
            columns,
            unique=True,
            sqlite_where=sa.text(name),
            postgresql_where=sa.text(name),
        )
    op.create_table(
        "rescored_studies",
        sa.Column("night_id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("version_before", sa.String(64)),
        sa.Column("probability_before", sa.Double()),
        sa.Column("flagged_before", sa.Boolean(), nullable=False),
        sa.Column("version_after", sa.String(64)),
        sa.Column("probability_after", sa.Double()),
        sa.Column("flagged_after", sa.Boolean(), nullable=False),
        sa.Column("was_read", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("night_id", "study_id", name="pk_rescored_studies"),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name="fk_rescored_studies_night_id"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_rescored_studies_study_id"),
    )
