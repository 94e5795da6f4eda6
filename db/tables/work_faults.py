"""The table of faults of the machine that stop a kind of work."""

from datetime import datetime

from sqlalchemy import Enum, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base
from readfirst.machine_faults import FaultCode, WorkKind

WORK = Enum(
    WorkKind, native_enum=False, length=16, values_callable=lambda kind: [k.value for k in kind]
)
CODE = Enum(
    FaultCode, native_enum=False, length=64, values_callable=lambda kind: [k.value for k in kind]
)


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
