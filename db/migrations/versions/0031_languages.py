"""Accounts keep the language of their page."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Nobody has chosen one yet."""
    op.add_column("accounts", sa.Column("language", sa.String(8)))
