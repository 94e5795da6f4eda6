"""An order comes in: it is kept, and raises the studies that it is of. It never lowers one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select

from db.lifecycle.arrivals import raise_by_order
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.ranking import settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.ris.orders import of_patient
from db.tables import OrderRow, Study
from readfirst.domain import Urgency
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import ImagingOrder
from readfirst.studies.identity import PATIENT_FIELDS, Patient

#: The fields of an order that a later message changes where it says otherwise.
ORDER_FIELDS = (
    "placer_order_number",
    "filler_order_number",
    "priority",
    "indication",
    "ward",
    "requested_procedure",
)
#: Studies of urgent orders that one sweep raises, at most.
MOST_RAISED = 200


def take_order(unit: UnitOfWork, order: ImagingOrder) -> None:
    """Keep an order, or what it says anew, and raise its studies if it is urgent.

    A study that was raised stays so: neither a lower priority nor a cancellation lowers it. Raises
    MessageRefused where the studies of this accession number are another patient's.
    """
    number = order.accession_number
    studies = fitting_studies(unit, Study.accession_number == number, order.patient)
    row = _known(unit, order) or _new(unit, order)
    _take_news(row, order)
    cancelled = order.is_cancelled and row.cancelled_at is None
    row.changed_at = unit.at
    row.cancelled_at = (row.cancelled_at or unit.at) if order.is_cancelled else None
    unit.session.flush()
    for study in studies:
        if cancelled:
            action = EventAction.ORDER_CANCELLED
            unit.add(DomainEvent(action=action, study=study, cause=Cause.ORDER))
        raise_by_order(unit, study)
    settle_priors(unit, studies, Cause.ORDER)


def fitting_studies(
    unit: UnitOfWork, condition: ColumnElement[bool], patient: Patient
) -> list[Study]:
    """The studies of a condition, locked, that may be this patient's; none where there are none.

    Raises MessageRefused where there are some, and all are another patient's.
    """
    query = select(Study).where(condition, Study.images.any())
    locked = query.order_by(Study.id).with_for_update(key_share=True)
    studies = unit.session.scalars(locked).all()
    fitting = of_patient(unit.session, studies, patient)
    if studies and not fitting:
        raise MessageRefused(MessageCode.PATIENT_DIFFERS)
    return fitting


def raise_by_orders(unit: UnitOfWork, since: datetime) -> int:
    """Raise what an urgent order and a film missed each other for, as they came in at one moment.

    since: when the orders last changed. Returns how many studies were raised.
    """
    query = (
        select(Study)
        .join(OrderRow, OrderRow.accession_number == Study.accession_number)
        .where(
            OrderRow.is_urgent,
            OrderRow.cancelled_at.is_(None),
            OrderRow.changed_at >= since,
            Study.urgency != Urgency.STAT,
            Study.read_at.is_(None),
        )
        .order_by(Study.id)
        .limit(MOST_RAISED)
        .with_for_update(key_share=True, skip_locked=True, of=Study)
    )
    studies: Sequence[Study] = unit.session.scalars(query).unique().all()
    raised = [study for study in studies if raise_by_order(unit, study)]
    settle_priors(unit, raised, Cause.ORDER)
    return len(raised)


def _known(unit: UnitOfWork, order: ImagingOrder) -> OrderRow | None:
    """The order of which this is news: of the same accession number, and not another patient's."""
    query = (
        select(OrderRow)
        .where(OrderRow.accession_number == order.accession_number)
        .order_by(OrderRow.id.desc())
        .with_for_update()
    )
    rows = unit.session.scalars(query).all()
    return next(iter(of_patient(unit.session, rows, order.patient)), None)


def _new(unit: UnitOfWork, order: ImagingOrder) -> OrderRow:
    row = OrderRow(
        accession_number=order.accession_number,
        received_at=unit.at,
        changed_at=unit.at,
        is_urgent=False,
    )
    unit.session.add(row)
    return row


def _take_news(row: OrderRow, order: ImagingOrder) -> None:
    for name in ORDER_FIELDS:
        if getattr(order, name) is not None:
            setattr(row, name, getattr(order, name))
    for name in PATIENT_FIELDS:
        if getattr(order.patient, name) is not None:
            setattr(row, name, getattr(order.patient, name))
    # A message that names no priority says nothing of it.
    if order.priority is not None:
        row.is_urgent = order.is_urgent
