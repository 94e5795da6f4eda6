"""The pace of a night: so many films an hour, and never more than a minute's worth at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

AN_HOUR = timedelta(hours=1)
#: What was not used for longer is not made up for.
MOST_SAVED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Films that may be given to the workers now. paced_until: the rate is used up until then."""

    films: int
    paced_until: datetime


def allowance(
    paced_until: datetime, now: datetime, films_an_hour: int | None, most: int
) -> Allowance:
    """Return how many films may be given now, `most` at most, and until when the rate is used then.

    In any time, at most its share of `films_an_hour` is given, and what a minute or the time of
    one film is worth besides.
    """
    if films_an_hour is None:
        return Allowance(most, max(paced_until, now))
    each = AN_HOUR / films_an_hour
    begin = max(paced_until, now - max(MOST_SAVED, each))
    films = max(0, min(most, (now - begin) // each))
    return Allowance(films, begin + films * each)
