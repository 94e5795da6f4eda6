"""Heat maps: which are wanted, made or failed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "heat_maps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("ensemble_version", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("top", sa.Double(), nullable=True),
        sa.Column("left", sa.Double(), nullable=True),
        sa.Column("bottom", sa.Double(), nullable=True),
        sa.Column("right", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_heat_maps_image_id")),
        sa.ForeignKeyConstraint(
            ["ensemble_version"],
            ["ensembles.version"],
            name=op.f("fk_heat_maps_ensemble_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heat_maps")),
        sa.UniqueConstraint(
            "image_id",
            "ensemble_version",
            "method",
            name=op.f("uq_heat_maps_image_id_ensemble_version_method"),
        ),
    )
    wanted = sa.text("state = 'wanted'")
    op.create_index(
        "ix_heat_maps_wanted",
        "heat_maps",
        ["wanted_at", "id"],
        unique=False,
        sqlite_where=wanted,
        postgresql_where=wanted,
    )
