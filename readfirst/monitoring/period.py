"""Periods in days of the site, and the days or weeks that a period falls into. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from readfirst.calendar import EARLIEST_DAY, LATEST_DAY

#: What is shown where nobody says.
USUAL_DAYS = 28
#: A longer time is shown by weeks: a day would be a pixel or two.
MOST_DAYS_BY_DAY = 62
#: Three years: more weeks than a plot shows, and than a query should have to sort into.
MOST_DAYS = 1096


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """A day or a week. first, last: its days, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Period:
    """From the beginning of one day of the site to the end of another."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment behind it."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """The number of its days."""
        return (self.last - self.first).days + 1

    def contains(self, other: "Period") -> bool:
        """Return whether all days of the other are days of this one, at the same site."""
        return (
            self.first <= other.first
            and other.last <= self.last
            and self.zone.key == other.zone.key
        )

    @property
    def by(self) -> str:
        """`day` or `week`: what it is shown by."""
        return "day" if self.days <= MOST_DAYS_BY_DAY else "week"

    @cached_property
    def time_buckets(self) -> tuple[TimeBucket, ...]:
        """Its days, or its weeks where it is long."""
        return self.weeks if self.by == "week" else self._cut(1)

    @cached_property
    def weeks(self) -> tuple[TimeBucket, ...]:
        """Its weeks, from Monday to Sunday (ISO 8601); the first and the last may be shorter."""
        return self._cut(7)

    def ends(self, time_buckets: tuple[TimeBucket, ...]) -> list[datetime]:
        """The first moment after each of its time buckets."""
        return [midnight(bucket.last + timedelta(days=1), self.zone) for bucket in time_buckets]

    def _cut(self, days: int) -> tuple[TimeBucket, ...]:
        cut, first = [], self.first
        while first <= self.last:
            sunday = first + timedelta(days=6 - first.weekday())
            last = min(first if days == 1 else sunday, self.last)
            cut.append(TimeBucket(first, last))
            first = last + timedelta(days=1)
        return tuple(cut)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins at a site."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def make_period(first: date | None, last: date | None, now: datetime, zone: ZoneInfo) -> Period:
    """The days from first to last; as many as usual up to today where they are left out.

    Raises ValueError, with a sentence, for a time that ends before it begins or is too long.
    """
    if not all(EARLIEST_DAY <= day <= LATEST_DAY for day in (first, last) if day is not None):
        raise ValueError(f"A day lies between {EARLIEST_DAY} and {LATEST_DAY}.")
    end = last or max(now.astimezone(zone).date(), first or date.min)
    start = first or end - timedelta(days=USUAL_DAYS - 1)
    if start > end:
        raise ValueError("The last day is before the first.")
    if (end - start).days >= MOST_DAYS:
        raise ValueError(f"At most {MOST_DAYS} days can be looked at together.")
    return Period(start, end, zone)
