"""The window of a night: when it begins and ends, by the clocks of the site.

A window begins and ends at the first moment at which the clock shows a time, or a later one. So an
hour that the clocks leave out shortens the window, and one that they show twice begins it once.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

A_DAY = timedelta(days=1)
#: A night without an end begins so late at the latest, where nothing ran at its hour.
LATEST_BEGIN = timedelta(hours=1)
#: Days before today whose window may still be open: a zone may be a day apart from itself.
DAYS_BEFORE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """The site's rule for its nights.

    start, until: times of day in the zone; without `until` a night ends when nothing is left. An
    `until` that is not later than `start` is on the next day. films_an_hour: the greatest rate;
    None for no bound.
    """

    zone: ZoneInfo
    start: time
    until: time | None = None
    films_an_hour: int | None = None


@dataclass(frozen=True, slots=True)
class NightWindow:
    """The window of one night. day: the one on which it begins. ends: None for no end."""

    day: date
    begins: datetime
    ends: datetime | None

    def may_begin_at(self, now: datetime) -> bool:
        """Tell whether a night that has not begun yet may begin now."""
        return self.begins <= now < (self.ends or self.begins + LATEST_BEGIN)


def window_of(plan: NightPlan, day: date) -> NightWindow:
    """The window of the night that begins on a day; empty where the clocks leave it out."""
    begins = first_moment(day, plan.start, plan.zone)
    if plan.until is None:
        return NightWindow(day, begins, None)
    last = day if plan.until > plan.start else day + A_DAY
    return NightWindow(day, begins, first_moment(last, plan.until, plan.zone))


def window_at(plan: NightPlan, now: datetime) -> NightWindow | None:
    """The window in which a night may begin now; None outside of all."""
    today = now.astimezone(plan.zone).date()
    days = (today - number * A_DAY for number in range(DAYS_BEFORE + 1))
    windows = (window_of(plan, day) for day in days)
    return next((window for window in windows if window.may_begin_at(now)), None)


def first_moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the clocks of a day show this time or a later one."""
    wall = datetime.combine(day, clock, zone)
    # Of a time that is shown twice, `fold=0` is the first; of one that is left out, it lies behind
    # the leap, and `fold=1` before it.
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    before = wall.replace(fold=1).astimezone(UTC)
    while moment - before > timedelta(seconds=1):
        middle = before + (moment - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall.replace(tzinfo=None):
            before = middle
        else:
            moment = middle
    return moment.replace(microsecond=0)
