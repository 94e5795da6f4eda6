"""New studies without an order, for which the Modality Worklist is asked: each once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db.lifecycle.lease import (
    Lease,
    LeasePolicy,
    fail,
    has_attempts,
    is_free,
    leased_row,
    let_go,
    pause,
    take,
)
from db.lifecycle.ris.orders import take_order
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import OrderQuery, OrderRow, Study
from readfirst.errors import MessageRefused
from readfirst.ris.values import ImagingOrder

#: A study that came in longer ago is not asked for any more.
NEW = timedelta(days=1)
ASKING = LeasePolicy(
    lease=timedelta(minutes=2),
    max_attempts=8,
    first_pause=timedelta(seconds=30),
    longest_pause=timedelta(minutes=10),
)


@dataclass(frozen=True, slots=True)
class ClaimedQuery:
    """A study whose order this process asks for."""

    lease: Lease
    accession_number: str


def claim_query(session: Session, at: datetime) -> ClaimedQuery | None:
    """Take the earliest study whose order is to be asked for; None if there is none.

    While the Modality Worklist does not answer, no further study is begun with.
    """
    row = session.scalar(
        select(OrderQuery)
        .where(
            OrderQuery.answered_at.is_(None),
            has_attempts(OrderQuery, ASKING),
            is_free(OrderQuery, at),
        )
        .order_by(OrderQuery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        if _is_paused(session, at):
            return None
        row = _next_study(session, at)
    if row is None:
        return None
    (lease,) = take([row], at, ASKING)
    number = session.get_one(Study, row.study_id).accession_number
    return ClaimedQuery(lease, number or "")


def take_answer(unit: UnitOfWork, claimed: ClaimedQuery, orders: Iterable[ImagingOrder]) -> int:
    """Keep the orders of an answer, as if messages had brought them. Returns how many.

    One of another patient than the study's is left out: a worklist is asked, and may be wrong.
    """
    count = 0
    for order in orders:
        try:
            take_order(unit, order)
        except MessageRefused:
            continue
        count += 1
    row = leased_row(unit.session, OrderQuery, claimed.lease)
    if row is not None:
        row.answered_at, row.last_error = unit.at, None
        let_go(row)
    return count


def note_no_answer(session: Session, claimed: ClaimedQuery, error: str, at: datetime) -> None:
    """Let a study be asked for again after a pause, which grows; not for ever."""
    row = leased_row(session, OrderQuery, claimed.lease)
    if row is not None:
        row.last_error = error
        fail(row)
        pause(row, at, ASKING)


def _is_paused(session: Session, at: datetime) -> bool:
    failed = select(OrderQuery.id).where(
        OrderQuery.answered_at.is_(None),
        OrderQuery.last_error.is_not(None),
        has_attempts(OrderQuery, ASKING),
        OrderQuery.lease_until > at,
    )
    return session.scalar(failed.limit(1)) is not None


def _next_study(session: Session, at: datetime) -> OrderQuery | None:
    was_asked = exists().where(OrderQuery.study_id == Study.id)
    has_order = exists().where(OrderRow.accession_number == Study.accession_number)
    query = (
        select(Study.id)
        .where(
            Study.received_at >= at - NEW,
            Study.accession_number.is_not(None),
            Study.images.any(),
            ~was_asked,
            ~has_order,
        )
        .order_by(Study.received_at, Study.id)
        .limit(1)
    )
    number = session.scalar(query)
    if number is None:
        return None
    row = OrderQuery(study_id=number, asked_at=at)
    session.add(row)
    session.flush()
    return row
