"""Ensembles can be retired, and their files lie in the store for all machines of a site."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. What was active before is retired since then."""
    op.add_column("ensembles", sa.Column("retired_at", sa.DateTime(timezone=True)))
    op.add_column("ensembles", sa.Column("manifest_sha256", sa.String(length=64)))
    op.execute(
        "UPDATE ensembles SET retired_at = "
        "(SELECT max(latest.activated_at) FROM ensembles AS latest) "
        "WHERE NOT active AND activated_at IS NOT NULL"
    )
