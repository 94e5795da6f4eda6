"""Destinations and what waits for them, for people, programs and checks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.destinations.records import DestinationCounts, DestinationRecord, record_of
from db.disclosures import OfStudy
from db.tables import Destination, OutgoingResult, Study
from readfirst.destinations.states import SendingState
from readfirst.errors import NotThere

#: What the destination has: of both, the time says when it was last reached.
TAKEN = (SendingState.SENT, SendingState.COMMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRecord(OfStudy):
    """A result on its way to a destination.

    reason: how its last attempt failed, or why there is no such result. next_attempt_at: None
    unless it waits.
    """

    number: int
    destination: str
    form: str
    study_instance_uid: str
    study_number: int
    state: SendingState
    wanted_at: datetime
    ended_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    reason: str | None


def all_destinations(session: Session) -> list[DestinationRecord]:
    """Every destination, by name."""
    return [
        record_of(row) for row in session.scalars(select(Destination).order_by(Destination.name))
    ]


def find_destination(session: Session, name: str) -> DestinationRecord:
    """The destination of a name. Raises NotThere."""
    return record_of(row_of(session, select(Destination), name))


def row_of(session: Session, query: Select[Destination], name: str) -> Destination:
    """The row of a name, by a query of destinations. Raises NotThere."""
    row = session.scalar(query.where(Destination.name == name))
    if row is None:
        raise NotThere(f"There is no destination {name}. See `readfirst destinations list`.")
    return row


def destination_counts(session: Session) -> dict[int, DestinationCounts]:
    """Count the results of each destination, by its number."""
    numbers: dict[int, dict[SendingState, int]] = {}
    last_sent: dict[int, datetime] = {}
    oldest: dict[int, datetime] = {}
    uncommitted: dict[int, int] = {}
    query = select(
        OutgoingResult.destination_id,
        OutgoingResult.state,
        func.count(),
        func.min(OutgoingResult.wanted_at),
        func.max(OutgoingResult.ended_at),
        # Those for which storage commitment was requested.
        func.count(OutgoingResult.transaction_uid),
    ).group_by(OutgoingResult.destination_id, OutgoingResult.state)
    for number, state, count, first, last, requested in session.execute(query):
        numbers.setdefault(number, {})[state] = count
        if state is SendingState.WAITING:
            oldest[number] = first
        if state is SendingState.SENT:
            uncommitted[number] = requested
        if state in TAKEN and last is not None:
            last_sent[number] = max(last, last_sent.get(number, last))
    return {
        number: DestinationCounts(
            waiting=counts.get(SendingState.WAITING, 0),
            oldest=oldest.get(number),
            last_error=_last_error(session, number),
            sent=sum(counts.get(state, 0) for state in TAKEN),
            uncommitted=uncommitted.get(number, 0),
            given_up=counts.get(SendingState.GIVEN_UP, 0),
            not_made=counts.get(SendingState.NOT_MADE, 0),
            last_sent_at=last_sent.get(number),
        )
        for number, counts in numbers.items()
    }


def outgoing_results(
    session: Session,
    *,
    states: Collection[SendingState],
    limit: int,
    destination: DestinationRecord | None = None,
) -> list[OutgoingRecord]:
    """Results in these states, those that came into them last before others."""
    query = (
        select(OutgoingResult, Destination.name, Destination.rests_until, Study.study_instance_uid)
        .join(Destination, Destination.id == OutgoingResult.destination_id)
        .join(Study, Study.id == OutgoingResult.study_id)
        .where(OutgoingResult.state.in_(states))
        .order_by(func.coalesce(OutgoingResult.ended_at, OutgoingResult.wanted_at).desc())
        .order_by(OutgoingResult.id.desc())
        .limit(limit)
    )
    if destination is not None:
        query = query.where(OutgoingResult.destination_id == destination.number)
    return [_record(*row) for row in session.execute(query)]


def _record(
    row: OutgoingResult, destination: str, rests_until: datetime | None, study_instance_uid: str
) -> OutgoingRecord:
    waits = row.state is SendingState.WAITING
    next_attempts = [at for at in (row.lease_until, rests_until) if at is not None]
    return OutgoingRecord(
        number=row.id,
        destination=destination,
        form=row.form,
        study_instance_uid=study_instance_uid,
        study_number=row.study_id,
        state=row.state,
        wanted_at=row.wanted_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        next_attempt_at=max(next_attempts) if waits and next_attempts else None,
        reason=row.reason,
    )


def _last_error(session: Session, number: int) -> str | None:
    query = (
        select(OutgoingResult.reason)
        .where(
            OutgoingResult.destination_id == number,
            OutgoingResult.state == SendingState.WAITING,
            OutgoingResult.reason.is_not(None),
        )
        .order_by(OutgoingResult.id.desc())
        .limit(1)
    )
    return session.scalar(query)
