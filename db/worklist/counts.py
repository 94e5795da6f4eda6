"""Counts of what waits to be read, and the institutions there are.

Nothing is counted further than somebody would read on, so it costs the same however much there is.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.session import rows_of
from db.study_conditions import has_film, is_unread
from db.tables import Image, Study
from db.worklist.filters import WorklistFilter, conditions
from db.worklist.sorting import Order, Position, keyset_segments
from readfirst.domain import ImageState, Urgency

#: Beyond the first nothing is counted; of institutions no more than the second are named.
MOST, MOST_INSTITUTIONS = 999, 200


@dataclass(frozen=True, slots=True)
class WorklistCounts:
    """Unread studies, and images in work; `MOST` + 1 where there are more than `MOST`."""

    unread: int
    flagged: int
    stat: int
    in_work: int


def worklist_counts(session: Session) -> WorklistCounts:
    """Count what waits, in one query."""
    return WorklistCounts(*rows_of(session, _COUNTS).one())


def count_studies(session: Session, which: WorklistFilter) -> int:
    """Count the studies of a list; `MOST` + 1 where there are more than `MOST`."""
    return session.scalar(select(_studies(*conditions(which)))) or 0


def count_before(
    session: Session, position: Position, *, which: WorklistFilter, order: Order
) -> int:
    """Count the studies of a list that stand before a position; at most as `count_studies`."""
    where = conditions(which)
    segments = keyset_segments(order, position, backward=True)
    numbers = [session.scalar(select(_studies(*where, *each.where))) or 0 for each in segments]
    return min(sum(numbers), MOST + 1)


def unread_priors(session: Session) -> int:
    """Count the priors that nobody has read; `MOST` + 1 where there are more than `MOST`."""
    rows = _studies(Study.prior_since.is_not(None), Study.read_at.is_(None), has_film())
    return session.scalar(select(rows)) or 0


def any_study(session: Session) -> bool:
    """Tell whether anything ever came in."""
    return rows_of(session, _ANY_IMAGE).first() is not None


def institutions(session: Session) -> list[str]:
    """The Institution Names of all studies, in their order.

    Each is found by its index behind the one before, so studies are not read one by one.
    """
    return list(rows_of(session, _INSTITUTIONS).scalars())


def _studies(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return _bounded(Study.id, *conditions)


def _bounded(column: InstrumentedAttribute[int], *where: ColumnElement[bool]) -> ScalarSelect[int]:
    rows = select(column).where(*where).limit(MOST + 1).subquery()
    return select(func.count()).select_from(rows).scalar_subquery()


def _counts() -> Select[int, int, int, int]:
    unread = is_unread()
    return select(
        _studies(unread, has_film()),
        _studies(unread, Study.flagged.is_(True)),
        _studies(unread, Study.urgency == Urgency.STAT, has_film()),
        _bounded(Image.id, Image.state.in_((ImageState.RECEIVED, ImageState.READY))),
    )


def _institutions() -> Select[str]:
    first = select(func.min(Study.institution_name).label("name"), literal(1).label("number"))
    names = first.cte("names", recursive=True)
    name, number = names.c.name, names.c.number
    behind = select(func.min(Study.institution_name)).where(Study.institution_name > name)
    following = select(behind.scalar_subquery(), number + 1)
    names = names.union_all(
        following.where(name.is_not(None), number < MOST_INSTITUTIONS).select_from(names)
    )
    return select(names.c.name).where(names.c.name.is_not(None)).order_by(names.c.number)


#: Made once: to put a statement together takes longer than to run it.
_COUNTS = _counts()
_ANY_IMAGE = select(Image.id).limit(1)
_INSTITUTIONS = _institutions()
