"""The searched text of studies, folded as people type names: without accents and punctuation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from db.tables.searching import search_text

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: Studies that are read and written at a time.
BATCH = 5000
STUDIES = sa.table(
    "studies",
    *(
        sa.column(name)
        for name in ("id", "search_text", "accession_number", "patient_id", "patient_name")
    ),
)


def upgrade() -> None:
    """Bring the rows to this revision."""
    last = 0
    while rows := _studies_after(last):
        changed = [
            {"number": row["id"], "text": text}
            for row in rows
            if (text := search_text(dict(row))) != row["search_text"]
        ]
        if changed:
            op.get_bind().execute(
                STUDIES.update()
                .where(STUDIES.c.id == sa.bindparam("number"))
                .values(search_text=sa.bindparam("text")),
                changed,
            )
        last = rows[-1]["id"]


def _studies_after(number: int) -> Sequence[sa.RowMapping]:
    query = sa.select(STUDIES).where(STUDIES.c.id > number).order_by(STUDIES.c.id).limit(BATCH)
    return op.get_bind().execute(query).mappings().all()
