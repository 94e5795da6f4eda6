"""The orders in which studies are listed, and their pages by keyset pagination.

Every order ends with the row's id, so each study has one position and pages follow one another
whatever arrives in between. Studies that have no value to be sorted by stand together, at one end:
databases sort NULL to different ends, so these studies are a segment of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from db.tables import Study


class Sort(StrEnum):
    """What studies are sorted by. The first of each order is named behind it."""

    #: The most urgent.
    READING = "reading"
    #: The latest.
    ARRIVAL = "arrival"
    STUDY_TIME = "study_time"
    #: The highest, behind those without a score: nothing says that these are low.
    PROBABILITY = "probability"
    #: The longest.
    WAITING = "waiting"
    #: From A to Z.
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of studies. reverse: the other way round, but for those without a value."""

    sort: Sort = Sort.READING
    reverse: bool = False


READING_ORDER = Order()
#: One value of a position.
Value = datetime | float | int | str | None


@dataclass(frozen=True, slots=True)
class Position:
    """A position in an order, which stays where it is whatever arrives or leaves.

    values: what the study is sorted by there; (None,) for one without. Empty for a patient's name,
    which belongs in no cursor: then it is looked up by the study.
    """

    order: Order
    values: tuple[Value, ...]
    study_id: int


@dataclass(frozen=True, slots=True)
class Column:
    """The columns of an order. falling: greatest first. nullable: some studies have no value."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    falling: bool = False
    nullable: bool = False
    nulls_first: bool = False


COLUMNS = {
    Sort.READING: Column((Study.urgency, Study.reading_key)),
    Sort.ARRIVAL: Column((Study.received_at,), falling=True),
    Sort.STUDY_TIME: Column((Study.study_datetime,), falling=True, nullable=True),
    Sort.PROBABILITY: Column((Study.probability,), falling=True, nullable=True, nulls_first=True),
    Sort.WAITING: Column((Study.received_at,)),
    Sort.PATIENT: Column((Study.patient_name,), nullable=True),
}


@dataclass(frozen=True, slots=True)
class KeysetSegment:
    """A run of an order that one index gives: the condition of its studies, and their sorting."""

    where: tuple[ColumnElement[bool], ...]
    order_by: tuple[ColumnElement[Any], ...]


def position_of(study: Study, order: Order) -> Position:
    """Return the position of a study in an order."""
    columns = COLUMNS[order.sort].columns
    return Position(order, tuple(getattr(study, column.key) for column in columns), study.id)


def keyset_segments(
    order: Order, cursor: Position | None = None, *, backward: bool = False
) -> list[KeysetSegment]:
    """Split an order, from its beginning or behind a cursor, into segments one after another.

    backward: those before the cursor, the nearest first.
    """
    are_empty = _are_empty(COLUMNS[order.sort])
    if backward:
        are_empty.reverse()
    if cursor is not None:
        is_empty = cursor.values == (None,)
        while len(are_empty) > 1 and are_empty[0] is not is_empty:
            are_empty = are_empty[1:]
    return [
        _segment(order, empty, cursor if number == 0 else None, backward=backward)
        for number, empty in enumerate(are_empty)
    ]


def _are_empty(column: Column) -> list[bool]:
    """Tell of each segment in turn whether its studies are those without a value."""
    if not column.nullable:
        return [False]
    return [True, False] if column.nulls_first else [False, True]


def _segment(
    order: Order, empty: bool, cursor: Position | None, *, backward: bool
) -> KeysetSegment:
    column = COLUMNS[order.sort]
    # Those without a value have one order: as they came in.
    falling = (column.falling != order.reverse and not empty) != backward
    where: list[ColumnElement[bool]] = []
    if column.nullable:
        (only,) = column.columns
        where.append(only.is_(None) if empty else only.is_not(None))
    if cursor is not None:
        values: Sequence[Value] = () if empty else cursor.values
        where.append(_beyond(() if empty else column.columns, values, cursor.study_id, falling))
    order_by = (each.desc() if falling else each.asc() for each in (*column.columns, Study.id))
    return KeysetSegment(tuple(where), tuple(order_by))


def _beyond(
    columns: Sequence[InstrumentedAttribute[Any]],
    values: Sequence[Value],
    study_id: int,
    falling: bool,
) -> ColumnElement[bool]:
    whole = (*columns, Study.id)
    typed = zip((*values, study_id), whole, strict=True)
    bound = tuple_(*(literal(value, column.type) for value, column in typed))
    return tuple_(*whole) < bound if falling else tuple_(*whole) > bound
