from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.nights.forecast import Forecast, forecast
from readfirst.nights.window import NightPlan, window_of

MADRID = ZoneInfo("Europe/Madrid")
PLAN = NightPlan(zone=MADRID, start=time(2), until=time(6))
EVENING = datetime(2026, 3, 1, 20, 0, tzinfo=MADRID)


def through(nights: int, when: str) -> Forecast:
    return Forecast(nights, datetime.fromisoformat(when).replace(tzinfo=MADRID).astimezone(UTC))


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (0, Forecast(0, EVENING)),
        (1000, through(1, "2026-03-02T03:00")),
        (4000, through(1, "2026-03-02T06:00")),
        (4001, through(2, "2026-03-03T02:00:03.6")),
        (10_000, through(3, "2026-03-04T04:00")),
    ],
)
def test_what_is_left_is_laid_over_the_coming_windows(left: int, expected: Forecast) -> None:
    assert forecast(left, 1000, PLAN, EVENING) == expected


def test_a_night_that_runs_is_the_first_of_them() -> None:
    at = datetime(2026, 3, 2, 4, 0, tzinfo=MADRID)
    ends = datetime(2026, 3, 2, 6, 0, tzinfo=MADRID)
    for left, expected in ((2000, "2026-03-02T06:00"), (3000, "2026-03-03T03:00")):
        seen = forecast(left, 1000, PLAN, at, runs_until=ends, running=True)
        assert seen == through(left // 1000 - 1, expected)
    assert forecast(99_000, 1000, PLAN, at, running=True) == Forecast(1, at + 99 * AN_HOUR)


AN_HOUR = timedelta(hours=1)


def test_a_night_without_an_end_is_enough_for_all() -> None:
    plan = NightPlan(zone=MADRID, start=time(2))
    assert forecast(48_000, 1000, plan, EVENING) == through(1, "2026-03-04T02:00")


def test_the_rate_that_the_site_allows_bounds_what_was_measured() -> None:
    slow = NightPlan(zone=MADRID, start=time(2), until=time(6), films_an_hour=100)
    assert forecast(400, 1000, slow, EVENING) == through(1, "2026-03-02T06:00")
    assert forecast(400, 50, slow, EVENING) == through(2, "2026-03-03T06:00")


def test_without_a_rate_nobody_knows() -> None:
    assert forecast(400, None, PLAN, EVENING) is None
    assert forecast(400, 0.0, PLAN, EVENING) is None
    assert forecast(10**9, 1.0, PLAN, EVENING) is None


@given(st.integers(1, 100_000), st.floats(10, 5000), st.integers(0, 400))
def test_the_windows_until_then_hold_what_is_left(left: int, rate: float, days: int) -> None:
    """Through both changes of the clocks."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=days)
    seen = forecast(left, rate, PLAN, now)
    if seen is None:
        assert left / rate > 4 * 900
        return
    first = now.astimezone(MADRID).date() + timedelta(days=1)
    last = seen.through_at.astimezone(MADRID).date()
    worked = timedelta()
    for number in range((last - first).days + 1):
        window = window_of(PLAN, date.fromordinal(first.toordinal() + number))
        assert window.ends is not None
        worked += min(window.ends, seen.through_at) - window.begins
    assert worked / AN_HOUR * rate == pytest.approx(left, rel=1e-6, abs=0.01)
