"""The table of the processes that run, each with its last sign of life."""

from datetime import datetime

from sqlalchemy import Enum, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base
from readfirst.site.parts import Part

PART = Enum(
    Part, native_enum=False, length=16, values_callable=lambda kind: [part.value for part in kind]
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
