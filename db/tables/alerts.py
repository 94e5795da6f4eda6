"""The table of alerts: what a lead was told of, from when to when."""

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, text_enum
from readfirst.monitoring.alerts import AlertKind

KIND = text_enum(AlertKind, 32)


class AlertRow(Base):
    """Something that held from `opened_at` on, and holds still where `cleared_at` is None."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(KIND)
    #: Of what among its kind: a subject of drift, a refusal's code, an ensemble's version.
    about: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    #: When it was last found to hold, with what is said of it.
    seen_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    value: Mapped[float]
    bound: Mapped[float]
    detail: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        # One at a time is open of each.
        Index(
            "uq_alerts_open",
            "kind",
            "about",
            unique=True,
            sqlite_where=text("cleared_at IS NULL"),
            postgresql_where=text("cleared_at IS NULL"),
        ),
        Index("ix_alerts_opened_at", "opened_at"),
    )
