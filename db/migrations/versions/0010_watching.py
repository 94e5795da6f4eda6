"""By what a film was acquired, how bright it is, and how an ensemble's scores are distributed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TEXTS = ("manufacturer", "manufacturer_model_name", "station_name")
NUMBERS = ("exposure", "exposure_index", "deviation_index", "median_grey", "clipped_share")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for name in TEXTS:
        op.add_column("images", sa.Column(name, sa.Text()))
    for name in NUMBERS:
        op.add_column("images", sa.Column(name, sa.Double()))
    op.create_index("ix_images_received_at", "images", ["received_at"])
    op.add_column("ensembles", sa.Column("reference", sa.JSON()))
