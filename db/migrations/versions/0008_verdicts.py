"""What readers said of studies, and which studies are read."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=True),
        sa.Column("finding", sa.String(length=16), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("ensemble_version", sa.String(length=64), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_verdicts_study_id")),
        sa.ForeignKeyConstraint(
            ["ensemble_version"],
            ["ensembles.version"],
            name=op.f("fk_verdicts_ensemble_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
    )
    op.create_index("ix_verdicts_study_id_id", "verdicts", ["study_id", "id"])
    op.create_index("ix_verdicts_at", "verdicts", ["at"])
    _forbid_changes()
    op.add_column("studies", sa.Column("read_at", sa.DateTime(timezone=True)))
    unread = sa.text("read_at IS NULL")
    op.create_index(
        "ix_studies_unread_order",
        "studies",
        ["urgency", "reading_key", "id"],
        sqlite_where=unread,
        postgresql_where=unread,
    )
    # What else a patient has: asked whenever a study is opened.
    op.create_index("ix_studies_patient_id", "studies", ["patient_id"])


def _forbid_changes() -> None:
    says = "verdicts are append-only"
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER verdicts_no_{change.lower()} BEFORE {change} ON verdicts "
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION verdicts_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{says}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER verdicts_append_only BEFORE UPDATE OR DELETE ON verdicts "
        "FOR EACH ROW EXECUTE FUNCTION verdicts_append_only()"
    )
    op.execute(
        "CREATE TRIGGER verdicts_no_truncate BEFORE TRUNCATE ON verdicts "
        "FOR EACH STATEMENT EXECUTE FUNCTION verdicts_append_only()"
    )
