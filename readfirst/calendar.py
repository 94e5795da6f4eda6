"""The days that ReadFirst knows: every zone and every database can hold them."""

import re
from datetime import UTC, date, datetime, time, timedelta

#: What lies outside is a mistake.
EARLIEST_DAY, LATEST_DAY = date(1900, 1, 1), date(2200, 1, 1)
#: The last day whose end is a known day too, for periods that include their last day.
LATEST_WHOLE_DAY = LATEST_DAY - timedelta(days=1)
#: The same bounds as moments.
EARLIEST_MOMENT = datetime.combine(EARLIEST_DAY, time(), UTC)
LATEST_MOMENT = datetime.combine(LATEST_DAY, time(), UTC)
#: ISO 8601 with digits of ASCII, by calendar date: `2026-01-31`, or `20260131`.
DAY_FORM = r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}"
#: Behind it a time and its zone, as `T08:30`, `T08:30:00.5Z` or ` 08:30+01:00`.
TIME_FORM = (
    r"[Tt ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{1,9})?)?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_DAY, _MOMENT = re.compile(DAY_FORM), re.compile(f"{DAY_FORM}({TIME_FORM})?")


def parse_day(written: str) -> date:
    """Read a day, as 2026-01-31. Raises ValueError for all else, as Python's dates of weeks."""
    if not _DAY.fullmatch(written):
        raise ValueError(f"Invalid day {written!r}; write it as 2026-01-31")
    return date.fromisoformat(written)


def parse_moment(written: str) -> datetime:
    """Read a day, or a day and time; naive where it names no zone. Raises ValueError."""
    if not _MOMENT.fullmatch(written):
        raise ValueError(f"Invalid time {written!r}; write it as 2026-01-31 or 2026-01-31T08:30")
    return datetime.fromisoformat(written)
