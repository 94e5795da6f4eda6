"""Cursors: where a page begins, in a form that says nothing to its reader.

They hold a place and no name, so they may stand in an address. A place that somebody makes up is
only another place; what is no place is refused.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from fastapi import HTTPException, Request

from db.filters import Position
from db.refused import RefusedPlace

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
#: The numbers of a place: a few digits each, so that every database takes them.
NUMBERS = re.compile(r"\d{1,16}(\.\d{1,16}){0,2}")
#: The greatest row number that both databases take.
GREATEST_ID = 2**31 - 1


def of_study(position: Position) -> str:
    """The cursor of the studies behind a place in the reading order."""
    return _encoded(position.urgency, _micros(position.reading_key), position.study_id)


def study_position(cursor: str) -> Position:
    """The place that a cursor means. Raises HTTPException 422."""

    def place(urgency: int, micros: int, study_id: int) -> Position:
        return Position(_row(urgency), _moment(micros), _row(study_id))

    return _decoded(cursor, place)


def of_refused(place: RefusedPlace) -> str:
    """The cursor of the refused images behind a place."""
    return _encoded(_micros(place.refused_at), place.image_id)


def refused_place(cursor: str) -> RefusedPlace:
    """The place that a cursor means. Raises HTTPException 422."""
    return _decoded(cursor, lambda at, image: RefusedPlace(_moment(at), _row(image)))


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


def _decoded(cursor: str, place: Callable[..., T]) -> T:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        if not NUMBERS.fullmatch(text):
            raise ValueError(text)
        return place(*(int(number) for number in text.split(".")))
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise HTTPException(422, "The cursor is none that this list gave out.") from error


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _moment(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND


def _row(number: int) -> int:
    if number > GREATEST_ID:
        raise ValueError(number)
    return number
