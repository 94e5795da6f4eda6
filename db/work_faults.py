"""Faults of the machine that stop a kind of work, and films that wait to be tried again.

The caller owns the transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from db.session import insert_into, rows_of
from db.tables import Image, WorkFaultRow
from readfirst.domain import ImageState
from readfirst.language.texts import ngettext
from readfirst.machine_faults import MachineFault, WorkFault, WorkKind

#: The pause after a fault, which doubles with each try up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(seconds=30)
#: Doubled this often at the most.
MOST_DOUBLINGS = 4
#: Both are asked with each list, and put together once, which takes longer than to run them.
_FAULTS = select(WorkFaultRow).order_by(WorkFaultRow.work)
_DELAYED = select(func.count(), func.max(Image.id)).where(
    Image.last_error.is_not(None), Image.state.in_((ImageState.RECEIVED, ImageState.READY))
)


@dataclass(frozen=True, slots=True)
class DelayedFilms:
    """Films whose last attempt failed, and that are tried again. error: of the latest of them."""

    number: int
    error: str

    @property
    def sentence(self) -> str:
        """The sentence for people."""
        text = ngettext(
            "{number} film waits to be tried again; the last error: {error}",
            "{number} films wait to be tried again; the last error: {error}",
            self.number,
        )
        return text.format(number=self.number, error=self.error)


def stop_work(session: Session, work: WorkKind, fault: MachineFault, now: datetime) -> bool:
    """Note that a kind of work cannot go on, and let nobody try for a while. True if it is new."""
    values = {"work": work, "code": fault.code, "detail": fault.detail}
    new = insert_into(session, WorkFaultRow).values(**values, since=now, tries=0, paused_until=now)
    result = session.execute(new.on_conflict_do_nothing())
    row = session.get_one(WorkFaultRow, work, with_for_update=True, populate_existing=True)
    row.code, row.detail = fault.code, fault.detail
    pause = FIRST_PAUSE * 2 ** min(row.tries, MOST_DOUBLINGS)
    row.tries, row.paused_until = row.tries + 1, now + min(pause, LONGEST_PAUSE)
    return isinstance(result, CursorResult) and result.rowcount == 1


def is_stopped(session: Session, work: WorkKind, now: datetime) -> bool:
    """Tell whether a kind of work is not to be tried yet."""
    row = session.get(WorkFaultRow, work)
    return row is not None and row.paused_until > now


def go_on(session: Session, work: WorkKind) -> bool:
    """Note that a kind of work goes on. True if a fault had stopped it."""
    gone = delete(WorkFaultRow).where(WorkFaultRow.work == work)
    result = session.execute(gone)
    return isinstance(result, CursorResult) and result.rowcount == 1


def work_faults(session: Session) -> list[WorkFault]:
    """The faults that stop work now."""
    rows = session.scalars(_FAULTS)
    return [
        WorkFault(work=row.work, code=row.code, detail=row.detail, since=row.since) for row in rows
    ]


def delayed_films(session: Session) -> DelayedFilms | None:
    """The films that wait to be tried again; None if there are none."""
    number, latest = rows_of(session, _DELAYED).one()
    if not number:
        return None
    error = session.scalar(select(Image.last_error).where(Image.id == latest))
    return DelayedFilms(number, error or "")
