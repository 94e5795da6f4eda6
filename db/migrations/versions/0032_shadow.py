"""Ensembles score in shadow, and scores say how long they took."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WAITING = sa.text("given_up_at IS NULL")


def upgrade() -> None:
    """Bring the schema to this revision. None scores in shadow; of old scores nobody knows."""
    op.add_column("ensembles", sa.Column("shadow_since", sa.DateTime(timezone=True)))
    op.add_column("ensembles", sa.Column("shadow_queues_below", sa.Integer()))
    op.add_column("ensembles", sa.Column("shadow_error", sa.Text()))
    op.add_column("ensembles", sa.Column("shadow_paused_until", sa.DateTime(timezone=True)))
    op.add_column("scores", sa.Column("seconds", sa.Double()))
    op.add_column("scores", sa.Column("batch_size", sa.Integer()))
    op.create_table(
        "shadow_images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("ensemble_version", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("excused", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_shadow_images_image_id")
        ),
        sa.ForeignKeyConstraint(
            ["ensemble_version"],
            ["ensembles.version"],
            name=op.f("fk_shadow_images_ensemble_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_images")),
        sa.UniqueConstraint(
            "image_id",
            "ensemble_version",
            name=op.f("uq_shadow_images_image_id_ensemble_version"),
        ),
    )
    op.create_index(
        "ix_shadow_images_waiting",
        "shadow_images",
        ["ensemble_version", "image_id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
