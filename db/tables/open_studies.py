"""The table of pages that somebody has open now: rows that live for minutes."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class OpenStudy(Base):
    """A study's page, open in one tab of a browser. Removed some minutes after its last sign."""

    __tablename__ = "open_studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Made up by the page as it loads, so a tab that loads anew is another one.
    tab: Mapped[str] = mapped_column(String(32), unique=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    #: None where nobody has to log in.
    account: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    #: When the page last gave a sign of life.
    seen_at: Mapped[datetime] = mapped_column(index=True)
    #: When the page was left; then no sign of life that comes late opens it again.
    left_at: Mapped[datetime | None]
