"""The table of patients that were merged."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class PatientMergeRow(Base):
    """Two patient IDs that are one patient's. No study is changed by it, so it can be undone."""

    __tablename__ = "patient_merges"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: That is in use no more, and its issuer if one is named.
    merged_id: Mapped[str] = mapped_column(Text, index=True)
    merged_issuer: Mapped[str | None] = mapped_column(Text)
    #: That stays in use.
    surviving_id: Mapped[str] = mapped_column(Text, index=True)
    surviving_issuer: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]
    #: When somebody undid it, and who; a later merge that says the contrary does too.
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(Text)
