"""In what order studies are listed, and where a page of that order begins.

Every order ends with the row's id, so each study has one place of its own and pages follow one
another whatever arrives in between. Studies that have no value to be sorted by stand together, at
one end: a database's own place for NULL differs from one to another, so they are asked for apart.
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
    """One order of studies. reverse: the other way round, but for those without a value."""

    sort: Sort = Sort.READING
    reverse: bool = False


READING_ORDER = Order()
#: One value of a place.
Value = datetime | float | int | str | None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an order, which stays where it is whatever arrives or leaves.

    values: what the study is sorted by there; (None,) for one without. Empty for a patient's name,
    which belongs in no cursor: then it is looked up by the study.
    """

    order: Order
    values: tuple[Value, ...]
    study_id: int


@dataclass(frozen=True, slots=True)
class Column:
    """What an order compares. falling: the greatest is first. nullable: not each study has it."""

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
class Part:
    """A stretch of an order that one index gives: which studies, and how they are sorted."""

    where: tuple[ColumnElement[bool], ...]
    order_by: tuple[ColumnElement[Any], ...]


def place_of(study: Study, order: Order) -> Position:
    """Where a study stands."""
    columns = COLUMNS[order.sort].columns
    return Position(order, tuple(getattr(study, column.key) for column in columns), study.id)


def parts(order: Order, place: Position | None = None, *, backward: bool = False) -> list[Part]:
    """The stretches of an order, from its beginning or behind a place, one after another.

    backward: those before the place, the nearest first.
    """
    stretches = _stretches(COLUMNS[order.sort])
    if backward:
        stretches.reverse()
    if place is not None:
        is_empty = place.values == (None,)
        while len(stretches) > 1 and stretches[0] is not is_empty:
            stretches = stretches[1:]
    return [
        _part(order, empty, place if number == 0 else None, backward=backward)
        for number, empty in enumerate(stretches)
    ]


def _stretches(column: Column) -> list[bool]:
    """Whether each stretch is the one of the studies without a value."""
    if not column.nullable:
        return [False]
    return [True, False] if column.nulls_first else [False, True]


def _part(order: Order, empty: bool, place: Position | None, *, backward: bool) -> Part:
    column = COLUMNS[order.sort]
    # Those without a value have one order: as they came in.
    falling = (column.falling != order.reverse and not empty) != backward
    where: list[ColumnElement[bool]] = []
    if column.nullable:
        (only,) = column.columns
        where.append(only.is_(None) if empty else only.is_not(None))
    if place is not None:
        values: Sequence[Value] = () if empty else place.values
        where.append(_beyond(() if empty else column.columns, values, place.study_id, falling))
    columns = (*column.columns, Study.id)
    return Part(tuple(where), tuple(one.desc() if falling else one.asc() for one in columns))


def _beyond(
    columns: Sequence[InstrumentedAttribute[Any]],
    values: Sequence[Value],
    study_id: int,
    falling: bool,
) -> ColumnElement[bool]:
    whole = (*columns, Study.id)
    held = (*values, study_id)
    place = tuple_(*(literal(value, one.type) for value, one in zip(held, whole, strict=True)))
    return tuple_(*whole) < place if falling else tuple_(*whole) > place
