"""The tables of work: who does it, what stops it, and what somebody wants done again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, text_enum
from readfirst.machine_faults import FaultCode, WorkKind
from readfirst.site.parts import Part

WORK = text_enum(WorkKind)
CODE = text_enum(FaultCode, 64)
PART = text_enum(Part)
PENDING = text("tried_at IS NULL")


class WorkFaultRow(Base):
    """A fault that stops a kind of work; its row goes when an attempt succeeds."""

    __tablename__ = "work_faults"

    work: Mapped[WorkKind] = mapped_column(WORK, primary_key=True)
    code: Mapped[FaultCode] = mapped_column(CODE)
    #: What the machine said.
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    #: How often in a row it was met; the pauses between two tries grow with it.
    tries: Mapped[int]
    #: Nobody tries before then.
    paused_until: Mapped[datetime]


class WantedRetry(Base):
    """A wish to try a refused image again. A worker fulfils it once, whatever comes of it."""

    __tablename__ = "wanted_retries"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    wanted_at: Mapped[datetime]
    #: When a worker began to try it; None: it waits.
    tried_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_wanted_retries_pending",
            "image_id",
            unique=True,
            sqlite_where=PENDING,
            postgresql_where=PENDING,
        ),
        Index("ix_wanted_retries_wanted_at", "wanted_at"),
    )


class HeartbeatRow(Base):
    """A process of a part; its row goes when it ends by itself."""

    __tablename__ = "heartbeats"

    id: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[Part] = mapped_column(PART)
    #: Of the machine or container, as it calls itself.
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("part", "host", "pid"),)
