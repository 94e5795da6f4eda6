"""Studies that are told of since nobody read them in time, by webhook or by mail."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WAITING = "delivered_at IS NULL AND given_up_at IS NULL"
KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "study_id": sa.Integer(),
    "ensemble_version": sa.String(64),
    "probability": sa.Double(),
}


def upgrade() -> None:
    """Bring the schema to this revision. Every message so far is a webhook of a flagged study."""
    op.create_table(
        "escalations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stat", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("study_id", name=op.f("uq_escalations_study_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_escalations_study_id")),
    )
    op.create_index(op.f("ix_escalations_batch"), "escalations", ["batch"])
    op.drop_index("ix_announcements_waiting", "announcements")
    with op.batch_alter_table("announcements") as table:
        table.add_column(
            sa.Column("channel", sa.String(16), nullable=False, server_default="webhook")
        )
        table.add_column(sa.Column("batch", sa.String(32), nullable=True))
        for name, kind in KINDS.items():
            table.alter_column(name, existing_type=kind, nullable=True)
    waiting = sa.text(WAITING)
    op.create_index(
        "ix_announcements_waiting",
        "announcements",
        ["lease_until", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
