"""Rows counted by the day or week that a time of theirs falls into, on every database alike."""

from datetime import datetime

from sqlalchemy import ColumnElement, Integer, case, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from readfirst.watching.period import Period, Stretch

Time = InstrumentedAttribute[datetime] | ColumnElement[datetime]


def within(column: Time, period: Period) -> ColumnElement[bool]:
    """Whether a time is of the period."""
    return (column >= period.start) & (column < period.end)


def stretch_of(
    column: Time, period: Period, stretches: tuple[Stretch, ...] | None = None
) -> ColumnElement[int]:
    """The number of the stretch in which a time of the period lies.

    Days of a site are not those of UTC, and each database has functions of its own for zones: so
    the bounds are told, as many as there are stretches.
    """
    ends = period.ends(period.stretches if stretches is None else stretches)
    found = case(*((column < end, number) for number, end in enumerate(ends)))
    return type_coerce(found, Integer).label("stretch")
