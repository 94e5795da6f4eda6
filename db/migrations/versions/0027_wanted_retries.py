"""Refused images that somebody wants tried again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "wanted_retries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wanted_retries")),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_wanted_retries_image_id")
        ),
    )
    pending = sa.text("tried_at IS NULL")
    op.create_index(
        "uq_wanted_retries_pending",
        "wanted_retries",
        ["image_id"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index("ix_wanted_retries_wanted_at", "wanted_retries", ["wanted_at"])
