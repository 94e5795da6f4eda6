"""The table of studies whose orders the Modality Worklist is asked for."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Leased


class OrderQuery(Leased):
    """A study of which no message brought an order: its accession number is asked for once."""

    __tablename__ = "worklist_queries"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), unique=True)
    asked_at: Mapped[datetime]
    #: When the Modality Worklist said what it knows, or that it knows nothing.
    answered_at: Mapped[datetime | None]
    #: Of the attempt that failed last.
    last_error: Mapped[str | None] = mapped_column(Text)
