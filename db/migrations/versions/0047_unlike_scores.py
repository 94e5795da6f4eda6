"""Whether the film of a score looks unlike those that the ensemble was validated on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0047"
down_revision: str | None = "0046"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("scores", sa.Column("unlike", sa.Boolean(), nullable=True))
