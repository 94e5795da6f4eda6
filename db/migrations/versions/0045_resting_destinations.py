"""A destination rests and has a rule; answers of storage commitment are looked up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column(
        "destinations", sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("destinations", sa.Column("rule", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index("ix_outgoing_results_transaction_uid", "outgoing_results", ["transaction_uid"])
