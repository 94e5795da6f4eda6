"""Films are fetched from sources, and each study that was found there has a row."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0039"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _leased() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("excused", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.String(32)),
    ]


def upgrade() -> None:
    """Bring the schema to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sources",
        *_leased(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("retrieval", sa.String(16), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("port", sa.Integer()),
        sa.Column("ae_title", sa.String(16)),
        sa.Column("calling_ae_title", sa.String(16)),
        sa.Column("url", sa.Text()),
        sa.Column("token_file", sa.Text()),
        sa.Column("tls", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("tls_ca", sa.Text()),
        sa.Column("tls_certificate", sa.Text()),
        sa.Column("tls_key", sa.Text()),
        sa.Column("polled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("gives_priors", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("polled_at", moment),
        sa.Column("failing_since", moment),
        sa.Column("last_error", sa.Text()),
        sa.Column("answered_at", moment),
        sa.Column("paced_until", moment),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("name", name="uq_sources_name"),
    )
    op.create_table(
        "fetches",
        *_leased(),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.Column("instances", sa.Integer()),
        sa.Column("fetched_instances", sa.Integer()),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_fetches"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_fetches_source_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "source_id", "study_instance_uid", name="uq_fetches_source_id_study_instance_uid"
        ),
    )
    op.create_index("ix_fetches_source_id_state", "fetches", ["source_id", "state", "id"])
    op.create_index("ix_fetches_study_instance_uid", "fetches", ["study_instance_uid"])
