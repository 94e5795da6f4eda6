"""The unread study that comes next: reading goes on from where one is."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.disclosures import OfStudy
from db.session import rows_of
from db.tables import Study
from db.worklist.adjacent_studies import study_position
from db.worklist.filters import WorklistFilter, conditions
from db.worklist.sorting import READING_ORDER, Position, keyset_segments
from readfirst.domain import Urgency


class NextReason(StrEnum):
    """Why a study comes next. Their values stand in the API."""

    #: It is the nearest one behind, in reading order.
    BEHIND = "behind"
    #: It is STAT, and was not visited: it goes before all others.
    STAT = "stat"
    #: Behind there is none: it is the most urgent one that was not visited.
    FROM_TOP = "from_top"
    #: All were visited: it is the most urgent one.
    AGAIN = "again"
    #: Somebody else reads every one of them: it is the most urgent one.
    READ_BY_OTHERS = "read_by_others"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStudy(OfStudy):
    """The study that comes next, and why."""

    study_instance_uid: str
    reason: NextReason


def next_unread(
    session: Session,
    *,
    after: str | None = None,
    visited: Collection[str] = (),
    others: Collection[str] = (),
) -> NextStudy | None:
    """The unread study that comes next; None where no other is unread.

    after: the Study Instance UID of the study where one is. visited: those that were opened on the
    way here; they come again when all others were visited too. others: those that somebody else
    reads (`db.worklist.readers`); they come only where nothing else is left.
    """
    uid = Study.study_instance_uid
    left = uid.not_in({*visited, *others, *([after] if after else [])})
    is_stat = Study.urgency == Urgency.STAT
    position = study_position(session, after, READING_ORDER) if after else None
    behind = _first(session, left, behind=position)
    stat = _first(session, left & is_stat)
    if stat is not None and stat != behind:
        return NextStudy(study_instance_uid=stat, reason=NextReason.STAT)
    if behind is not None:
        return NextStudy(study_instance_uid=behind, reason=NextReason.BEHIND)
    if (top := _first(session, left)) is not None:
        return NextStudy(study_instance_uid=top, reason=NextReason.FROM_TOP)
    elsewhere = uid != (after or "")
    if (again := _first(session, elsewhere & uid.not_in(others))) is not None:
        return NextStudy(study_instance_uid=again, reason=NextReason.AGAIN)
    if (taken := _first(session, elsewhere & uid.in_(others))) is not None:
        return NextStudy(study_instance_uid=taken, reason=NextReason.READ_BY_OTHERS)
    return None


def _first(
    session: Session, which: ColumnElement[bool], *, behind: Position | None = None
) -> str | None:
    """The first of these unread studies in reading order, from its beginning or a position."""
    (segment,) = keyset_segments(READING_ORDER, behind)
    query = select(Study.study_instance_uid).where(*conditions(WorklistFilter(unread=True)), which)
    first = query.where(*segment.where).order_by(*segment.order_by).limit(1)
    return rows_of(session, first).scalar()
