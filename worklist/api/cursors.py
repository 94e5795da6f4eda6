"""Cursors: the position at which a page begins, in a form that says nothing to its reader.

They hold a position and no name, so they may stand in an address. A position that somebody makes up
is only another position; what is none is refused.
"""

import base64
import binascii
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from fastapi import HTTPException, Request

from db.worklist.refused import RefusedPosition
from db.worklist.sorting import READING_ORDER, Order, Position, Sort, Value

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
#: The numbers of a position: a few digits each. Times before 1970 are below zero.
NUMBERS = re.compile(r"-?[0-9]{1,19}(\.-?[0-9]{1,19}){0,3}")
#: Sorts by number, which must stay theirs; one is added for the other way round.
SORTS = {
    Sort.READING: 0,
    Sort.ARRIVAL: 2,
    Sort.STUDY_TIME: 4,
    Sort.PROBABILITY: 6,
    Sort.WAITING: 8,
    Sort.PATIENT: 10,
}
#: The greatest row number that both databases take.
GREATEST_ID = 2**31 - 1


def of_study(position: Position) -> str:
    """The cursor of the studies after a position, or before one. It names no patient."""
    order = position.order
    values = () if order.sort is Sort.PATIENT else position.values
    numbers = [_number(value) for value in values if value is not None]
    return _encoded(SORTS[order.sort] + order.reverse, *numbers, position.study_id)


def study_position(cursor: str, order: Order = READING_ORDER) -> Position:
    """The position in an order that a cursor means. Raises HTTPException 422."""

    def position(kind: int, *numbers: int) -> Position:
        if kind != SORTS[order.sort] + order.reverse:
            raise ValueError(kind)
        *values, study_id = numbers
        return Position(order, _values(order.sort, *values), _row(study_id))

    return _decoded(cursor, position)


def _number(value: Value) -> int:
    """A value as a number that can be turned back into exactly it."""
    if isinstance(value, float):
        return int(struct.unpack(">q", struct.pack(">d", value))[0])
    return _micros(value) if isinstance(value, datetime) else int(value or 0)


def _values(sort: Sort, *numbers: int) -> tuple[Value, ...]:
    """The values that a study is sorted by. Raises ValueError, TypeError or OverflowError."""
    if sort is Sort.PATIENT and not numbers:
        return ()
    if sort is Sort.READING:
        urgency, micros = numbers
        return (_row(urgency), _moment(micros))
    if not numbers and sort in (Sort.STUDY_TIME, Sort.PROBABILITY):
        return (None,)
    (number,) = numbers
    return (_probability(number) if sort is Sort.PROBABILITY else _moment(number),)


def _probability(number: int) -> float:
    (probability,) = struct.unpack(">d", number.to_bytes(8, signed=True))
    if not 0 <= probability <= 1:
        raise ValueError(number)
    return float(probability)


def of_refused(position: RefusedPosition) -> str:
    """The cursor of the refused images behind a position."""
    return _encoded(_micros(position.refused_at), position.image_id)


def refused_position(cursor: str) -> RefusedPosition:
    """The position that a cursor means. Raises HTTPException 422."""
    return _decoded(cursor, lambda at, image: RefusedPosition(_moment(at), _row(image)))


def of_row(row_id: int) -> str:
    """The cursor of the rows behind a number."""
    return _encoded(row_id)


def row_id(cursor: str) -> int:
    """The number that a cursor means. Raises HTTPException 422."""
    return _decoded(cursor, _row)


def next_page(request: Request, cursor: str | None) -> str | None:
    """The address of the next page: that of this one, from the cursor on."""
    if cursor is None:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def _encoded(*numbers: int) -> str:
    text = ".".join(str(number) for number in numbers)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, made_of: Callable[..., T]) -> T:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        if not NUMBERS.fullmatch(text):
            raise ValueError(text)
        return made_of(*(int(number) for number in text.split(".")))
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise HTTPException(422, "The cursor is none that this list gave out.") from error


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _moment(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND


def _row(number: int) -> int:
    if not 0 <= number <= GREATEST_ID:
        raise ValueError(number)
    return number
