"""The life cycle: the score that decides a study, causes of events, and one kind of lease."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WAITING = "delivered_at IS NULL AND given_up_at IS NULL"
#: Of a study's scores the one by which it was shown: it agrees with the flag, is of the version and
#: has the probability that its row says; of two alike, the earlier one.
DECIDING = """
WITH chosen AS (
    SELECT images.study_id, scores.id, scores.probability, scores.ensemble_version,
        ROW_NUMBER() OVER (
            PARTITION BY images.study_id
            ORDER BY
                CASE WHEN scores.flagged = studies.flagged THEN 0 ELSE 1 END,
                CASE WHEN scores.ensemble_version = studies.ensemble_version THEN 0 ELSE 1 END,
                CASE WHEN scores.probability = studies.probability THEN 0 ELSE 1 END,
                scores.probability DESC, scores.id
        ) AS place
    FROM scores
    JOIN images ON images.id = scores.image_id
    JOIN studies ON studies.id = images.study_id
)
UPDATE studies
SET score_id = chosen.id, probability = chosen.probability,
    ensemble_version = chosen.ensemble_version,
    -- One that was shown by two scores at once is ranked anew by the next night.
    ranked_by = CASE WHEN chosen.ensemble_version = studies.ensemble_version
        AND chosen.probability = studies.probability THEN studies.ensemble_version END
FROM chosen WHERE chosen.study_id = studies.id AND chosen.place = 1
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("events", sa.Column("cause", sa.String(16)))
    op.add_column("studies", sa.Column("ranked_by", sa.String(64)))
    # As text: SQLite adds a foreign key with its column, or else by a copy of the whole table.
    op.execute(
        "ALTER TABLE studies ADD COLUMN score_id INTEGER "
        "CONSTRAINT fk_studies_score_id REFERENCES scores (id)"
    )
    op.execute(DECIDING)
    _lease_announcements()


def _lease_announcements() -> None:
    """Messages are held as images and heat maps are."""
    op.drop_index("ix_announcements_waiting", "announcements")
    with op.batch_alter_table("announcements") as table:
        table.add_column(sa.Column("lease_token", sa.String(32)))
        table.alter_column(
            "next_attempt_at",
            new_column_name="lease_until",
            existing_type=sa.DateTime(timezone=True),
            nullable=True,
        )
    waiting = sa.text(WAITING)
    op.create_index(
        "ix_announcements_waiting",
        "announcements",
        ["lease_until", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
