"""Sources that are polled: visited every so often, by one process of the site at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.lifecycle.lease import (
    Lease,
    LeasePolicy,
    is_free,
    leased_row,
    pause,
    release,
    renew,
    rest,
    take,
)
from db.pacs.sources import PacsSourceRecord, record_of
from db.tables import SourceRow

#: Whoever visits a source renews this as long as the visit goes on.
VISIT = LeasePolicy(
    lease=timedelta(minutes=2),
    first_pause=timedelta(seconds=30),
    longest_pause=timedelta(minutes=10),
)


@dataclass(frozen=True, slots=True)
class SourceVisit:
    """A visit to a source, which nobody else visits meanwhile."""

    lease: Lease
    record: PacsSourceRecord


def claim_visit(session: Session, at: datetime) -> SourceVisit | None:
    """Take the source that is due for longest; None if none is."""
    query = (
        select(SourceRow)
        .where(or_(SourceRow.polled, SourceRow.gives_priors), is_free(SourceRow, at))
        .order_by(SourceRow.lease_until.is_not(None), SourceRow.lease_until, SourceRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query)
    if row is None:
        return None
    (lease,) = take([row], at, VISIT)
    # What is in between is a pause, and no sign that a visit died.
    renew(row, at, VISIT)
    return SourceVisit(lease, record_of(row))


def renew_visit(session: Session, visit: SourceVisit, at: datetime) -> None:
    """Hold a source for longer, since the visit goes on."""
    row = leased_row(session, SourceRow, visit.lease)
    if row is not None:
        renew(row, at, VISIT)


def note_polled(session: Session, visit: SourceVisit, began_at: datetime) -> None:
    """Note that the archive has told of all its studies up to then."""
    row = leased_row(session, SourceRow, visit.lease)
    if row is not None:
        row.polled_at = began_at


def end_visit(
    session: Session, visit: SourceVisit, at: datetime, every: timedelta, *, failed: bool
) -> None:
    """Leave a source alone until the next visit; longer each time if it failed."""
    row = leased_row(session, SourceRow, visit.lease)
    if row is None:
        return
    if failed:
        pause(row, at, VISIT)
    else:
        release(row)
    rest(row, at + every)
