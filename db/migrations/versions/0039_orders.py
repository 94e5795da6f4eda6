"""Messages of the radiology information system, and the orders in them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0039"
down_revision: str | None = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "hl7_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("message_type", sa.Text(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("taken_at", moment, nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hl7_messages")),
        sa.UniqueConstraint(
            "sender",
            "control_id",
            "digest",
            name=op.f("uq_hl7_messages_sender_control_id_digest"),
        ),
    )
    op.create_index("ix_hl7_messages_received_at", "hl7_messages", ["received_at"])
    op.create_index("ix_hl7_messages_code", "hl7_messages", ["code"])
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("accession_number", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=True),
        sa.Column("issuer_of_patient_id", sa.Text(), nullable=True),
        sa.Column("patient_name", sa.Text(), nullable=True),
        sa.Column("patient_birth_date", sa.Date(), nullable=True),
        sa.Column("placer_order_number", sa.Text(), nullable=True),
        sa.Column("filler_order_number", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("indication", sa.Text(), nullable=True),
        sa.Column("ward", sa.Text(), nullable=True),
        sa.Column("requested_procedure", sa.Text(), nullable=True),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("cancelled_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_accession_number", "orders", ["accession_number"])
    op.create_index("ix_orders_changed_at", "orders", ["changed_at"])
