"""When a site's retention removed an image's original."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    removed_at = sa.Column("original_removed_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("images", removed_at)
