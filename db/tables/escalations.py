"""The table of studies that were told of since nobody had read them in time."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class Escalation(Base):
    """A study that is told of once, since it was unread for too long."""

    __tablename__ = "escalations"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), unique=True)
    #: Of all that were escalated at once, which one message tells of.
    batch: Mapped[str] = mapped_column(String(32), index=True)
    at: Mapped[datetime]
    #: It was STAT then; else it was flagged.
    stat: Mapped[bool]
    acknowledged_at: Mapped[datetime | None]
    #: The account; None where nobody has to log in, or nobody has acknowledged it.
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
