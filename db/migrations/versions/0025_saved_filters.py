"""Accounts keep the filters of the list that their person has saved."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Nobody has saved any yet."""
    op.add_column("accounts", sa.Column("saved_filters", sa.JSON(), nullable=True))
