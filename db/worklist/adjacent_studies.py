"""The studies before and behind one in a list, and the most urgent unread one."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Study
from db.worklist.filters import WorklistFilter, conditions
from db.worklist.sorting import READING_ORDER, Order, keyset_segments, position_of


@dataclass(frozen=True, slots=True)
class AdjacentStudies:
    """Study Instance UIDs; None where the list begins or ends."""

    previous: str | None
    next: str | None


def adjacent_studies(
    session: Session, study_instance_uid: str, *, which: WorklistFilter, order: Order
) -> AdjacentStudies:
    """Find the studies before and behind one in a list, whether or not it is in that list."""
    study = session.scalar(select(Study).where(Study.study_instance_uid == study_instance_uid))
    if study is None:
        return AdjacentStudies(None, None)
    return AdjacentStudies(
        _nearest(session, study, which, order, backward=True),
        _nearest(session, study, which, order, backward=False),
    )


def most_urgent_unread(session: Session, *, but: str | None = None) -> str | None:
    """The unread study that is to be read first. but: one that is not meant."""
    (segment,) = keyset_segments(READING_ORDER)
    query = select(Study.study_instance_uid).where(*conditions(WorklistFilter(unread=True)))
    if but is not None:
        query = query.where(Study.study_instance_uid != but)
    return session.scalar(query.order_by(*segment.order_by).limit(1))


def _nearest(
    session: Session, study: Study, which: WorklistFilter, order: Order, *, backward: bool
) -> str | None:
    query = select(Study.study_instance_uid).where(*conditions(which))
    for segment in keyset_segments(order, position_of(study, order), backward=backward):
        uid = session.scalar(query.where(*segment.where).order_by(*segment.order_by).limit(1))
        if uid is not None:
            return uid
    return None
