"""The studies before and behind one in a list, and the most urgent unread one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from db.session import rows_of
from db.tables import Study
from db.worklist.filters import WorklistFilter, conditions
from db.worklist.sorting import COLUMNS, READING_ORDER, Order, Position, Sort, keyset_segments

#: By what studies are sorted. Made once: to put a statement together takes longer than to run it.
_POSITIONS: dict[Sort, Select[*tuple[Any, ...]]] = {
    sort: select(Study.id, *column.columns).where(Study.study_instance_uid == bindparam("uid"))
    for sort, column in COLUMNS.items()
}


@dataclass(frozen=True, slots=True)
class AdjacentStudies:
    """Study Instance UIDs; None where the list begins or ends."""

    previous: str | None
    next: str | None


def adjacent_studies(
    session: Session, study_instance_uid: str, *, which: WorklistFilter, order: Order
) -> AdjacentStudies:
    """Find the studies before and behind one in a list, whether or not it is in that list."""
    position = study_position(session, study_instance_uid, order)
    if position is None:
        return AdjacentStudies(None, None)
    return AdjacentStudies(
        _nearest(session, position, which, backward=True),
        _nearest(session, position, which, backward=False),
    )


def study_position(session: Session, study_instance_uid: str, order: Order) -> Position | None:
    """The position of a study in an order; None where there is no such study."""
    row = rows_of(session, _POSITIONS[order.sort], {"uid": study_instance_uid}).first()
    return None if row is None else Position(order, tuple(row[1:]), row[0])


def most_urgent_unread(session: Session, *, but: str | None = None) -> str | None:
    """The unread study that is to be read first. but: one that is not meant."""
    (segment,) = keyset_segments(READING_ORDER)
    query = select(Study.study_instance_uid).where(*conditions(WorklistFilter(unread=True)))
    if but is not None:
        query = query.where(Study.study_instance_uid != but)
    return session.scalar(query.order_by(*segment.order_by).limit(1))


def _nearest(
    session: Session, position: Position, which: WorklistFilter, *, backward: bool
) -> str | None:
    query = select(Study.study_instance_uid).where(*conditions(which))
    for segment in keyset_segments(position.order, position, backward=backward):
        nearest = query.where(*segment.where).order_by(*segment.order_by).limit(1)
        if uid := rows_of(session, nearest).scalar():
            return uid
    return None
