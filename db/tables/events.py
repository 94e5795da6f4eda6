"""The events of studies: rows that are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class Event(Base):
    """A thing that happened to a study, and when. Never changed, never removed."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(32))
    #: A `db.lifecycle.events.Cause`; None for events of the time before causes were kept.
    cause: Mapped[str | None] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
