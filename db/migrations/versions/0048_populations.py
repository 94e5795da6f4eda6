"""The population by which a score is stated, and by which a study ranks; so far the first one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | None = "0047"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in ("scores", "studies"):
        op.add_column(table, sa.Column("population", sa.String(64), nullable=True))
