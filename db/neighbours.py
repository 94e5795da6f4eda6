"""Which study is looked at next: the neighbours in a list, and the most urgent unread one."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.filters import WorklistFilter, conditions
from db.sorting import READING_ORDER, Order, parts, place_of
from db.tables import Study


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Study Instance UIDs; None where the list begins or ends."""

    previous: str | None
    next: str | None


def neighbours(
    session: Session, study_instance_uid: str, *, which: WorklistFilter, order: Order
) -> Neighbours:
    """What stands before and behind a study in a list, whether or not it is in that list itself."""
    study = session.scalar(select(Study).where(Study.study_instance_uid == study_instance_uid))
    if study is None:
        return Neighbours(None, None)
    return Neighbours(
        _nearest(session, study, which, order, backward=True),
        _nearest(session, study, which, order, backward=False),
    )


def most_urgent_unread(session: Session, *, but: str | None = None) -> str | None:
    """The unread study that is to be read first. but: one that is not meant."""
    (part,) = parts(READING_ORDER)
    query = select(Study.study_instance_uid).where(*conditions(WorklistFilter(unread=True)))
    if but is not None:
        query = query.where(Study.study_instance_uid != but)
    return session.scalar(query.order_by(*part.order_by).limit(1))


def _nearest(
    session: Session, study: Study, which: WorklistFilter, order: Order, *, backward: bool
) -> str | None:
    query = select(Study.study_instance_uid).where(*conditions(which))
    for part in parts(order, place_of(study, order), backward=backward):
        found = session.scalar(query.where(*part.where).order_by(*part.order_by).limit(1))
        if found is not None:
            return found
    return None
