"""The ends of attempts to send a result, and beginning anew."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.access import audit
from db.access.audit import Actor
from db.destinations.records import DestinationRecord
from db.lifecycle import lease
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.sending.claims import DueResult, rest
from db.tables import OutgoingResult
from readfirst.destinations.commitment import Receipt
from readfirst.destinations.states import SendingState

#: A destination that is down is tried for so long; then a person must see to it.
GIVE_UP_AFTER = timedelta(days=3)
WORKER_DIED = "The worker died each time that it was sent."
#: What may be sent again although it has ended.
ENDED = (
    SendingState.SENT,
    SendingState.COMMITTED,
    SendingState.GIVEN_UP,
    SendingState.NOT_MADE,
)


def sent(
    session: Session,
    due: DueResult,
    objects: Sequence[str],
    at: datetime,
    receipt: Receipt | None = None,
) -> None:
    """The destination has it. Said even by a worker that lost its lease: it did send.

    objects: SOP Instance UIDs. receipt: of the storage commitment that was asked for.
    """
    row = _row(session, due)
    if row is not None and row.state is SendingState.WAITING:
        row.objects = list(objects)
        row.transaction_uid = receipt.transaction_uid if receipt else None
        committed = receipt is not None and receipt.committed
        _end(row, SendingState.COMMITTED if committed else SendingState.SENT, None, at)


def note_commitment(session: Session, transaction_uid: str, reason: str, at: datetime) -> bool:
    """The destination says whether it keeps what it took. False where it was not asked for that.

    reason: why it does not keep something; empty where it keeps all. Then a person must see to it.
    """
    query = select(OutgoingResult).where(OutgoingResult.transaction_uid == transaction_uid)
    row = session.scalar(query.with_for_update(key_share=True))
    if row is None:
        return False
    if row.state is SendingState.SENT:
        state = SendingState.GIVEN_UP if reason else SendingState.COMMITTED
        _end(row, state, reason or None, at)
    return True


def not_made(session: Session, due: DueResult, reason: str, at: datetime) -> None:
    """By a rule there is nothing to send. reason: a sentence."""
    row = lease.leased_row(session, OutgoingResult, due.lease)
    if row is not None:
        _end(row, SendingState.NOT_MADE, reason, at)


def not_sent(
    session: Session,
    due: DueResult,
    reason: str,
    at: datetime,
    policy: LeasePolicy,
    *,
    answered: bool,
) -> None:
    """Note an attempt that failed, and let it be tried again after a pause, or give it up.

    answered: the destination refused this object, which few attempts show to be final; else it is
    down, and tried for days.
    """
    row = lease.leased_row(session, OutgoingResult, due.lease)
    if row is None:
        return
    if answered:
        lease.fail(row)
    else:
        row.excused += 1
    too_late = at + policy.pause(row.attempts) - row.wanted_at > GIVE_UP_AFTER
    if too_late or lease.is_last_attempt(row, policy):
        _end(row, SendingState.GIVEN_UP, reason, at)
    else:
        row.reason = reason
        lease.pause(row, at, policy)


def not_yet(
    session: Session, due: DueResult, reason: str, at: datetime, policy: LeasePolicy
) -> None:
    """Send it later: it cannot be made at the moment, and that is no fault of the destination."""
    row = lease.leased_row(session, OutgoingResult, due.lease)
    if row is not None:
        row.reason = reason
        lease.excuse(row, at, policy)


def give_way(session: Session, due: DueResult) -> None:
    """Let it be sent later; this was no failed attempt."""
    row = lease.leased_row(session, OutgoingResult, due.lease)
    if row is not None:
        until = row.wanted_at
        lease.give_way(row)
        row.lease_until = until


def give_up_spent(session: Session, now: datetime, policy: LeasePolicy) -> None:
    """Give up those that killed their worker at every attempt."""
    waiting = OutgoingResult.state == SendingState.WAITING
    spent = select(OutgoingResult).where(waiting, lease.is_spent(OutgoingResult, now, policy))
    for row in session.scalars(spent.with_for_update(key_share=True, skip_locked=True)):
        _end(row, SendingState.GIVEN_UP, WORKER_DIED, now)


def send_again(
    session: Session,
    actor: Actor,
    destination: DestinationRecord,
    at: datetime,
    numbers: Collection[int] | None = None,
    **detail: Any,
) -> int:
    """Let results be sent as if they never had been, and note who did it. Returns how many.

    numbers: of these results, unless they wait anyway; None: all that were given up.
    """
    of_destination = OutgoingResult.destination_id == destination.number
    query = select(OutgoingResult).where(of_destination)
    if numbers is None:
        query = query.where(OutgoingResult.state == SendingState.GIVEN_UP)
    else:
        query = query.where(OutgoingResult.id.in_(numbers), OutgoingResult.state.in_(ENDED))
    rows = session.scalars(query.order_by(OutgoingResult.id).with_for_update(key_share=True)).all()
    for row in rows:
        lease.release(row)
        row.state, row.reason, row.ended_at = SendingState.WAITING, None, None
        row.wanted_at = row.lease_until = at
    if rows:
        rest(session, destination, None)
        facts: dict[str, Any] = {"destination": destination.name, "results": len(rows)}
        audit.note(session, actor, audit.AuditAction.RESULTS_SENT_AGAIN, at, **facts, **detail)
    return len(rows)


def _row(session: Session, due: DueResult) -> OutgoingResult | None:
    """The row for writing; None if its destination was removed meanwhile."""
    return session.get(OutgoingResult, due.lease.row_id, with_for_update={"key_share": True})


def _end(row: OutgoingResult, state: SendingState, reason: str | None, at: datetime) -> None:
    row.state, row.reason, row.ended_at = state, reason, at
    lease.release(row)
