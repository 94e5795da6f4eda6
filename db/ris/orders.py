"""The orders of studies: joined by accession number and patient, whichever came first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db.ris.merges import merges_of
from db.tables import OrderRow, Study
from readfirst.studies.identity import Patient, conflict, patient_of

Row = TypeVar("Row", OrderRow, Study)
#: The orders of these accession numbers. Made once: to put it together takes longer than to run it.
_OF_NUMBERS = (
    select(OrderRow)
    .where(OrderRow.accession_number.in_(bindparam("numbers", expanding=True)))
    .order_by(OrderRow.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """The order of a study."""

    #: As it was sent, as `S` or `STAT`.
    priority: str | None
    indication: str | None
    ward: str | None
    requested_procedure: str | None
    received_at: datetime
    cancelled_at: datetime | None


def orders_of_studies(session: Session, studies: Sequence[Study]) -> dict[int, OrderRecord]:
    """The latest order of each study, by the studies' row ids; without one, a study is left out."""
    numbers = {study.accession_number for study in studies} - {None}
    if not numbers:
        return {}
    rows = defaultdict[str, list[OrderRow]](list)
    for row in session.scalars(_OF_NUMBERS, {"numbers": list(numbers)}):
        rows[row.accession_number].append(row)
    latest = {
        study.id: fitting[-1]
        for study in studies
        if (own := rows.get(study.accession_number or ""))
        and (fitting := of_patient(session, own, patient_of(study)))
    }
    return {number: _record(row) for number, row in latest.items()}


def has_urgent_order(session: Session, study: Study) -> bool:
    """Tell whether an order that stands wants a study to be read at once."""
    if study.accession_number is None:
        return False
    query = select(OrderRow).where(
        OrderRow.accession_number == study.accession_number,
        OrderRow.is_urgent,
        OrderRow.cancelled_at.is_(None),
    )
    return bool(of_patient(session, session.scalars(query).all(), patient_of(study)))


def of_patient(session: Session, rows: Iterable[Row], patient: Patient) -> list[Row]:
    """Those of the orders or studies that may be this patient's, in their order."""
    return [row for row in rows if _may_be_same(session, patient_of(row), patient)]


def _may_be_same(session: Session, first: Patient, second: Patient) -> bool:
    """Tell whether nothing speaks against two being one patient, merges of their IDs included."""
    if not conflict(first, second):
        return True
    if first.patient_id is None or second.patient_id is None:
        return False
    merges = merges_of(session, [first.patient_id, second.patient_id])
    return bool(merges) and not conflict(merges.identity(first), merges.identity(second))


def _record(row: OrderRow) -> OrderRecord:
    return OrderRecord(
        priority=row.priority,
        indication=row.indication,
        ward=row.ward,
        requested_procedure=row.requested_procedure,
        received_at=row.received_at,
        cancelled_at=row.cancelled_at,
    )
