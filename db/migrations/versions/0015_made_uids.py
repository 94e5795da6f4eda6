"""Studies whose UID was made here say so, and what their files say in its place."""

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: A UID made here begins so; so do those that others make of a UUID (PS3.5 B.2).
CANDIDATES = """
SELECT studies.id, studies.study_instance_uid, images.sha256
FROM studies JOIN images ON images.study_id = studies.id
WHERE studies.study_instance_uid LIKE '2.25.%'
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column(
        "studies",
        sa.Column(
            "study_instance_uid_made_here",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    op.add_column("studies", sa.Column("invalid_study_instance_uid", sa.Text()))
    connection = op.get_bind()
    made = {
        row.id
        for row in connection.execute(sa.text(CANDIDATES))
        if row.study_instance_uid == _made_uid(row.sha256)
    }
    # A study that was set apart from another patient's has a UID of its own, made here too.
    connection.execute(
        sa.text(
            "UPDATE studies SET study_instance_uid_made_here = true "
            "WHERE shared_study_instance_uid IS NOT NULL"
        )
    )
    update = sa.text("UPDATE studies SET study_instance_uid_made_here = true WHERE id = :id")
    if made:
        connection.execute(update, [{"id": row_id} for row_id in sorted(made)])


def _made_uid(sha256: str) -> str:
    """Make the study's UID from an image's digest, as this release and those before it do."""
    digest = bytearray(hashlib.sha256(f"readfirst:study:{sha256}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest)}"
