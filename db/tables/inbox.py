"""The tables of inbox issues, and of files that came in and are no films."""

from datetime import datetime

from sqlalchemy import (
    Index,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import SHA256, Base
from readfirst.refusals import RefusalCode


class InboxIssueRow(Base):
    """Something in the inbox that cannot be taken, as the ingester saw it last."""

    __tablename__ = "inbox_notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: An `InboxIssueCode`.
    code: Mapped[str] = mapped_column(String(32))
    relative_path: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class IgnoredFile(Base):
    """A file that came in and is no film, as the index of an export: kept, and never scored."""

    __tablename__ = "set_aside"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: As that of an arrival.
    claim_id: Mapped[str] = mapped_column(String(32), unique=True)
    relative_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    size: Mapped[int]
    arrived_at: Mapped[datetime]
    code: Mapped[RefusalCode]
    reason: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_set_aside_arrived_at", "arrived_at"),)
