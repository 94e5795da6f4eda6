"""Accounts say when they last did something."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Until now, the audit log alone knows it."""
    op.add_column("accounts", sa.Column("last_seen_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE accounts SET last_seen_at = "
        "(SELECT max(audit.at) FROM audit WHERE audit.account = accounts.name)"
    )
