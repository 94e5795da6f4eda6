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
    """A message to another system or to people: of a flagged study, escalated ones, or a night."""

    __tablename__ = "announcements"

    #: The same at every attempt, so that the receiver knows a repetition.
    key: Mapped[str] = mapped_column(String(32), unique=True)
    #: `webhook` or `mail` (`db.lifecycle.outbox.Channel`).
    channel: Mapped[str] = mapped_column(String(16), default="webhook", server_default="webhook")
    #: Of escalated studies, which it tells of; None for a flagged one.
    batch: Mapped[str | None] = mapped_column(String(32))
    #: Of what a night changed; None for studies.
    night_id: Mapped[int | None] = mapped_column(ForeignKey("nights.id"))
    #: The flagged study, and the score that decided it; None for escalated ones.
    study_id: Mapped[int | None] = mapped_column(ForeignKey("studies.id"))
    ensemble_version: Mapped[str | None] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float | None]
    #: When what it tells of happened.
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
