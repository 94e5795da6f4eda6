"""The table of messages for another system."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Leased, partial_index


class OutboxMessage(Leased):
    """A flagged study of which another system is told by webhook."""

    __tablename__ = "announcements"

    #: The same at every attempt, so that the receiver knows a repetition.
    key: Mapped[str] = mapped_column(String(32), unique=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float]
    flagged_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        partial_index(
            "ix_announcements_waiting",
            "lease_until",
            "id",
            where="delivered_at IS NULL AND given_up_at IS NULL",
        ),
    )
