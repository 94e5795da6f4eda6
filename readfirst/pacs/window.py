"""The window of a poll: from when on an archive is asked for studies. Pure.

A poll asks for all studies from a moment on, and the next one begins before that one began. So a
study is found that came into the archive after its Study Time, or whose scanner has another clock,
if that makes up no more than the look-back. No window ends: a scanner may be ahead as well.

The clock of this machine may jump between two polls. Back: then the window begins before the time
that it is now. Forward: then by the time that has passed, which no clock of the day tells, and by
the last poll, of which the earlier counts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from readfirst.pacs.matches import StudyQuery, by_day

#: An archive that did not answer for longer, or a clock that has gone back by more, needs a
#: back-fill by a person.
LONGEST = timedelta(days=31)


def window_start(
    now: datetime, polled_at: datetime | None, elapsed: timedelta | None, look_back: timedelta
) -> datetime:
    """Return the moment from which on studies are asked for.

    polled_at: when the last poll that succeeded began, by the clock of then; None for the first
    one. elapsed: the time since, by a clock that never jumps; None if nobody measured it.
    """
    if polled_at is None:
        return now - look_back
    moments = [polled_at, now] if elapsed is None else [polled_at, now, now - elapsed]
    return max(min(moments), polled_at - LONGEST) - look_back


def window_queries(start: datetime, now: datetime, zone: tzinfo) -> Iterator[StudyQuery]:
    """Ask for each day that is over by itself, and for all from today on, in days of the site.

    Whole days: a Study Time may be missing, or of another zone.
    """
    first, today = start.astimezone(zone).date(), now.astimezone(zone).date()
    yield from by_day(first, today - timedelta(days=1))
    yield StudyQuery(from_date=max(first, today))
