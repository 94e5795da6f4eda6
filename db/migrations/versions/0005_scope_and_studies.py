"""Marks of images, orders of studies, and studies of two patients kept apart."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

#: For images that came in before there were marks; the sentence as it was then.
MARK_AS_NOT_CHECKED = """
    UPDATE images SET marks = '[{"code": "scope_not_checked",
    "reason": "The image came in before films were checked against a scope."}]'
    WHERE state != 'refused'
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("images", sa.Column("acquisition_datetime", sa.DateTime(timezone=True)))
    op.add_column("images", sa.Column("marks", sa.JSON(), nullable=False, server_default="[]"))
    op.execute(MARK_AS_NOT_CHECKED)
    for name in ("issuer_of_patient_id", "referring_physician_name", "institution_name"):
        op.add_column("studies", sa.Column(name, sa.Text()))
    op.add_column("studies", sa.Column("shared_study_instance_uid", sa.String(length=64)))
    for name in ("accession_number", "shared_study_instance_uid"):
        op.create_index(f"ix_studies_{name}", "studies", [name])
    _add_last_received_at()
    if op.get_bind().dialect.name == "postgresql":
        # Until now as written, without a zone; UTC is what READFIRST_TIME_ZONE is unless set.
        op.alter_column(
            "studies",
            "study_datetime",
            type_=sa.DateTime(timezone=True),
            postgresql_using="study_datetime AT TIME ZONE 'UTC'",
        )


def _add_last_received_at() -> None:
    op.add_column(
        "studies",
        sa.Column(
            "last_received_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("'1970-01-01 00:00:00'"),
        ),
    )
    op.execute(
        "UPDATE studies SET last_received_at = coalesce((SELECT max(images.received_at) "
        "FROM images WHERE images.study_id = studies.id), received_at)"
    )
