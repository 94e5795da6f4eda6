"""Verdicts say whether the AI's result was hidden from their reader."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Until now, every reader could see what the AI said."""
    # They are counted again, with this column.
    op.execute("DELETE FROM kept_days")
    op.add_column(
        "verdicts", sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false())
    )
