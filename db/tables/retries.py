"""Refused images that somebody wants tried again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base

PENDING = text("tried_at IS NULL")


class WantedRetry(Base):
    """A wish to try a refused image again. A worker fulfils it once, whatever comes of it."""

    __tablename__ = "wanted_retries"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    wanted_at: Mapped[datetime]
    #: When a worker began to try it; None: it waits.
    tried_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_wanted_retries_pending",
            "image_id",
            unique=True,
            sqlite_where=PENDING,
            postgresql_where=PENDING,
        ),
        Index("ix_wanted_retries_wanted_at", "wanted_at"),
    )
