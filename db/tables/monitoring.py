"""Days that are over, as the monitoring counts them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class KeptDay(Base):
    """The films and studies that came in on a day, as columns of numbers.

    It is removed whenever something of the day changes, and made anew.
    """

    __tablename__ = "kept_days"

    #: Of the zone in which it is a day.
    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    #: Its first moment, and the first one behind it.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: Numbers for the totals of all days: `db.monitoring.totals`.
    totals: Mapped[dict[str, Any]]
    #: By `db.monitoring.columns.to_bytes`, a column for each of its `TABLES`.
    films: Mapped[bytes]
    studies: Mapped[bytes]
    ignored: Mapped[bytes]
    opinions: Mapped[bytes]
    scores: Mapped[bytes]
    exposures: Mapped[bytes]

    __table_args__ = (Index("ix_kept_days_starts_at", "starts_at", "ends_at"),)
