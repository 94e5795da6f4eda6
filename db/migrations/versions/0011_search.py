"""What a text is looked for in, as one column with an index."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: As in `db.tables.searching` when this was written.
SEARCHED = {"accession_number": 100, "patient_id": 100, "patient_name": 400}


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("studies", sa.Column("search_text", sa.Text, nullable=False, server_default=""))
    names = ("search_text", *SEARCHED)
    studies = sa.table("studies", *(sa.column(name, sa.Text) for name in names))
    parts = [
        sa.func.substr(sa.func.coalesce(studies.c[name], ""), 1, most)
        for name, most in SEARCHED.items()
    ]
    line = sa.literal("\n")
    whole = parts[0] + line + parts[1] + line + parts[2]
    op.execute(studies.update().values(search_text=sa.func.lower(whole)))
    op.create_index("ix_studies_search_text", "studies", ["search_text", "id"])
