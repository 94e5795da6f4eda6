"""Studies keep what was examined and why: description, procedure, indication and history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COLUMNS = (
    "study_description",
    "requested_procedure_description",
    "reason_for_the_requested_procedure",
    "additional_patient_history",
)


def upgrade() -> None:
    """Bring the schema to this revision. What came in before has none of them."""
    for name in COLUMNS:
        op.add_column("studies", sa.Column(name, sa.Text(), nullable=True))
