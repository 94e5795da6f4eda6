"""Faults of the machine: told apart from those of a film, and shown while they last."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

LEASED = ("images", "heat_maps", "announcements")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in LEASED:
        for column in ("failures", "excused"):
            # What was in work is tried anew: nobody knows whose doing its failed attempts were.
            op.add_column(
                table, sa.Column(column, sa.Integer(), nullable=False, server_default="0")
            )
    # Nobody cleared it after a success; now it says that a film waits because of it.
    op.execute("UPDATE images SET last_error = NULL WHERE state = 'scored'")
    has_error = sa.text("last_error IS NOT NULL")
    op.create_index(
        "ix_images_last_error",
        "images",
        ["id"],
        sqlite_where=has_error,
        postgresql_where=has_error,
    )
    op.create_table(
        "work_faults",
        sa.Column("work", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("work", name=op.f("pk_work_faults")),
    )
