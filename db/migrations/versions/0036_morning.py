"""Studies say what flagged them, and the outbox has mails of nights."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision. The events know what flagged a study."""
    op.add_column("studies", sa.Column("flagged_by", sa.String(16)))
    op.execute(
        "UPDATE studies SET flagged_by = (SELECT events.cause FROM events "
        "WHERE events.study_id = studies.id AND events.action = 'flagged' "
        "ORDER BY events.id DESC LIMIT 1) WHERE flagged"
    )
    with op.batch_alter_table("announcements") as table:
        table.add_column(sa.Column("night_id", sa.Integer()))
        table.create_foreign_key("fk_announcements_night_id", "nights", ["night_id"], ["id"])
