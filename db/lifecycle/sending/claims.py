"""Results that are due are claimed, of one destination at a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from db.destinations.records import DestinationRecord, record_of
from db.lifecycle import lease
from db.lifecycle.lease import Lease, LeasePolicy
from db.tables import Destination, OutgoingResult, Study
from readfirst.destinations.forms import Form
from readfirst.destinations.states import SendingState


@dataclass(frozen=True, slots=True, kw_only=True)
class DueResult:
    """A result that this worker is to send now. attempts: this one included."""

    lease: Lease
    form: Form
    study_instance_uid: str
    wanted_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class DueResults:
    """Results that are due, of one destination."""

    destination: DestinationRecord
    results: tuple[DueResult, ...]


def claim_due(
    session: Session, now: datetime, policy: LeasePolicy, limit: int
) -> DueResults | None:
    """Take what is due longest, and up to `limit` of its destination; None if nothing is due."""
    first = select(OutgoingResult.destination_id).where(_is_due(now, policy))
    first = first.order_by(OutgoingResult.lease_until, OutgoingResult.id).limit(1)
    number = session.scalar(first)
    if number is None:
        return None
    query = (
        select(OutgoingResult)
        .where(_is_due(now, policy), OutgoingResult.destination_id == number)
        .order_by(OutgoingResult.lease_until, OutgoingResult.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    rows = session.scalars(query).all()
    if not rows:
        return None
    leases = lease.take(rows, now, policy)
    uids = _study_uids(session, {row.study_id for row in rows})
    due = tuple(
        DueResult(
            lease=row_lease,
            form=Form(row.form),
            study_instance_uid=uids[row.study_id],
            wanted_at=row.wanted_at,
            attempts=row.attempts,
        )
        for row, row_lease in zip(rows, leases, strict=True)
    )
    return DueResults(record_of(session.get_one(Destination, number)), due)


def is_any_due(session: Session, now: datetime, policy: LeasePolicy) -> bool:
    """Tell whether there is something to send."""
    query = select(OutgoingResult.id).where(_is_due(now, policy)).limit(1)
    return session.scalar(query) is not None


def studies_to_send() -> Select[int]:
    """Numbers of studies of which a result waits for a destination that is enabled."""
    enabled = select(Destination.id).where(Destination.enabled)
    return select(OutgoingResult.study_id).where(
        OutgoingResult.state == SendingState.WAITING, OutgoingResult.destination_id.in_(enabled)
    )


def rest(session: Session, destination: DestinationRecord, until: datetime | None) -> None:
    """Send nothing to a destination before then: it does not answer. None: it rests no more.

    What comes to wait for it meanwhile waits as well. Others are not kept back.
    """
    row = update(Destination).where(Destination.id == destination.number)
    session.execute(row.values(rests_until=until))


def _study_uids(session: Session, numbers: set[int]) -> dict[int, str]:
    query = select(Study.id, Study.study_instance_uid).where(Study.id.in_(numbers))
    return dict(session.execute(query).all())


def _is_due(now: datetime, policy: LeasePolicy) -> ColumnElement[bool]:
    """Rows of known forms to destinations that are enabled and do not rest, held by nobody."""
    awake = select(Destination.id).where(
        Destination.enabled, Destination.rests_until.is_(None) | (Destination.rests_until <= now)
    )
    return (
        (OutgoingResult.state == SendingState.WAITING)
        & lease.is_free(OutgoingResult, now)
        & lease.has_attempts(OutgoingResult, policy)
        & OutgoingResult.form.in_([form.value for form in Form])
        & OutgoingResult.destination_id.in_(awake)
    )
