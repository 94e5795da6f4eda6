"""Signs of life of the processes of ReadFirst. The caller owns the transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, and_, delete, select, update
from sqlalchemy.orm import Session

from db.tables import HeartbeatRow
from readfirst.site.parts import Part

#: Between two signs of life of a process; and the silence after which it counts as gone.
BEAT_SECONDS = 10.0
SILENT = timedelta(seconds=60)
#: A process that was silent for so long is forgotten.
FORGOTTEN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process: the machine's or container's name, and its number there."""

    host: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """A part of this site. expected: it belongs to every running site as this one is set.

    processes: those that gave a sign of life within the last minute. last_at: the latest sign of
    any of them, also of those that have ended otherwise than by themselves; None without any.
    """

    part: Part
    expected: bool
    processes: int
    started_at: datetime | None
    last_at: datetime | None
    hosts: tuple[str, ...]

    @property
    def runs(self) -> bool:
        """True while at least one process gives signs of life."""
        return self.processes > 0


def beat(session: Session, part: Part, process: ProcessId, started: datetime, at: datetime) -> None:
    """Note a sign of life."""
    # The number may be of an earlier process, which has ended.
    values = {"started_at": started, "last_at": at}
    known = session.execute(update(HeartbeatRow).where(_is_of(part, process)).values(values))
    if isinstance(known, CursorResult) and known.rowcount:
        return
    session.add(
        HeartbeatRow(part=part, host=process.host, pid=process.pid, started_at=started, last_at=at)
    )
    old = HeartbeatRow.last_at < at - FORGOTTEN
    session.execute(delete(HeartbeatRow).where(HeartbeatRow.part == part, old))


def end(session: Session, part: Part, process: ProcessId) -> None:
    """Note that a process has ended by itself."""
    session.execute(delete(HeartbeatRow).where(_is_of(part, process)))


def _is_of(part: Part, process: ProcessId) -> ColumnElement[bool]:
    """The row of a part in a process."""
    return and_(
        HeartbeatRow.part == part,
        HeartbeatRow.host == process.host,
        HeartbeatRow.pid == process.pid,
    )


def parts(session: Session, now: datetime, expected: Iterable[Part]) -> list[PartRecord]:
    """Every part that this site should have, or that gave a sign of life of late."""
    wanted = set(expected)
    rows = session.scalars(
        select(HeartbeatRow).where(HeartbeatRow.last_at >= now - FORGOTTEN)
    ).all()
    seen = {row.part for row in rows}
    return [
        _record(part, [row for row in rows if row.part is part], now, expected=part in wanted)
        for part in Part
        if part in wanted | seen
    ]


def _record(part: Part, rows: list[HeartbeatRow], now: datetime, *, expected: bool) -> PartRecord:
    alive = [row for row in rows if row.last_at > now - SILENT]
    return PartRecord(
        part=part,
        expected=expected,
        processes=len(alive),
        started_at=min((row.started_at for row in alive), default=None),
        last_at=max((row.last_at for row in rows), default=None),
        hosts=tuple(sorted({row.host for row in alive})),
    )
