"""The share of pneumonia that an ensemble's probabilities presuppose."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("ensembles", sa.Column("prevalence", sa.Double(), nullable=True))
