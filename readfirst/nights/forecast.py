"""The forecast: when an ensemble will be through, by the rate that was measured."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from readfirst.nights.window import A_DAY, NightPlan, window_of

AN_HOUR_SECONDS = 3600.0
#: Nobody waits for longer.
MOST_NIGHTS = 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """nights: those that are still needed, a running one included. through_at: the end of all."""

    nights: int
    through_at: datetime


def forecast(
    left: int,
    films_an_hour: float | None,
    plan: NightPlan,
    now: datetime,
    *,
    runs_until: datetime | None = None,
    running: bool = False,
) -> Forecast | None:
    """Lay what is left out over the coming windows; None where no rate is known, or for years.

    left: films. films_an_hour: as measured; the plan's bound holds besides. running: a night runs
    now, until `runs_until` or until nothing is left.
    """
    if left <= 0:
        return Forecast(0, now)
    rate = min(films_an_hour or 0.0, plan.films_an_hour or float("inf"))
    if rate <= 0:
        return None
    seconds = left / rate * AN_HOUR_SECONDS
    nights = 0
    if running:
        nights, length = 1, _seconds(now, runs_until)
        if length is None or seconds <= length:
            return _through(nights, now, seconds)
        seconds -= length
        # The window that runs is spoken for.
        now = runs_until or now
    yesterday = now.astimezone(plan.zone).date() - A_DAY
    for number in range(MOST_NIGHTS):
        window = window_of(plan, yesterday + number * A_DAY)
        if window.begins < now and not window.may_begin_at(now):
            continue
        begins = max(window.begins, now)
        length = _seconds(begins, window.ends)
        # None where the clocks leave it out.
        nights += length != 0
        if length is None or seconds <= length:
            return _through(nights, begins, seconds)
        seconds -= length
    return None


def _seconds(begins: datetime, ends: datetime | None) -> float | None:
    return None if ends is None else max(0.0, (ends - begins).total_seconds())


def _through(nights: int, begins: datetime, seconds: float) -> Forecast | None:
    try:
        return Forecast(nights, begins + timedelta(seconds=seconds))
    except OverflowError:
        return None
