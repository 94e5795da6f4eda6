"""Studies that were read in another system, as its report says."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. Of earlier studies nobody knows."""
    op.add_column("studies", sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("studies", sa.Column("reported_by", sa.Text(), nullable=True))
