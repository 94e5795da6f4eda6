"""The windows of nights: by the clocks of the site, through both changes of them and midnight."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.nights.window import (
    LATEST_BEGIN,
    NightPlan,
    first_moment,
    window_at,
    window_of,
)

#: With both changes, half an hour's change, none, and a day that was left out.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Madrid",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "UTC",
    )
]
MADRID = ZONES[0]
zones = st.sampled_from(ZONES)
#: Their changes of the clocks lie on some of these days.
days = st.dates(date(2011, 1, 1), date(2027, 12, 31))
clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


def hours(plan: NightPlan, day: str) -> tuple[str, str, float]:
    """Begin and end of a window as the site's clocks show them, and its length in hours."""
    window = window_of(plan, date.fromisoformat(day))
    assert window.ends is not None
    begins, ends = (
        f"{moment.astimezone(plan.zone):%d %H:%M %Z}" for moment in (window.begins, window.ends)
    )
    return begins, ends, (window.ends - window.begins) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "until", "day", "expected"),
    [
        (time(2), time(6), "2026-03-28", ("28 02:00 CET", "28 06:00 CET", 4)),
        # The clocks go from 02:00 to 03:00.
        (time(2), time(6), "2026-03-29", ("29 03:00 CEST", "29 06:00 CEST", 3)),
        (time(2, 30), time(3, 15), "2026-03-29", ("29 03:00 CEST", "29 03:15 CEST", 0.25)),
        (time(2), time(2, 30), "2026-03-29", ("29 03:00 CEST", "29 03:00 CEST", 0)),
        (time(22), time(5), "2026-03-28", ("28 22:00 CET", "29 05:00 CEST", 6)),
        # They go from 03:00 to 02:00: the first of the two is meant.
        (time(2), time(6), "2026-10-25", ("25 02:00 CEST", "25 06:00 CET", 5)),
        (time(1), time(2, 30), "2026-10-25", ("25 01:00 CEST", "25 02:30 CEST", 1.5)),
        (time(22), time(5), "2026-10-24", ("24 22:00 CEST", "25 05:00 CET", 8)),
    ],
)
def test_a_window_follows_the_clocks_of_the_site(
    start: time, until: time, day: str, expected: tuple[str, str, float]
) -> None:
    assert hours(NightPlan(zone=MADRID, start=start, until=until), day) == expected


def test_a_day_that_a_zone_left_out_has_no_window() -> None:
    apia = NightPlan(zone=ZoneInfo("Pacific/Apia"), start=time(2), until=time(6))
    window = window_of(apia, date(2011, 12, 30))
    assert window.begins == window.ends == datetime(2011, 12, 30, 10, tzinfo=UTC)


@given(zones, days, clocks)
def test_a_moment_is_the_first_at_which_the_clock_shows_it_or_a_later_time(
    zone: ZoneInfo, day: date, clock: time
) -> None:
    wanted = datetime.combine(day, clock)
    moment = first_moment(day, clock, zone)
    assert moment.astimezone(zone).replace(tzinfo=None) >= wanted
    for earlier in (timedelta(seconds=1), timedelta(hours=3)):
        assert (moment - earlier).astimezone(zone).replace(tzinfo=None) < wanted


@given(zones, days, clocks, clocks)
def test_windows_lie_one_behind_the_other(
    zone: ZoneInfo, day: date, start: time, until: time
) -> None:
    plan = NightPlan(zone=zone, start=start, until=until)
    first, second = (window_of(plan, day + timedelta(days=number)) for number in (0, 1))
    assert first.ends is not None
    assert first.begins <= first.ends <= second.begins


@given(zones, days, clocks, st.none() | clocks, st.floats(0, 1, exclude_max=True))
def test_a_moment_is_in_the_window_that_holds_it(
    zone: ZoneInfo, day: date, start: time, until: time | None, share: float
) -> None:
    plan = NightPlan(zone=zone, start=start, until=until)
    window = window_of(plan, day)
    ends = window.ends or window.begins + LATEST_BEGIN
    moment = window.begins + share * (ends - window.begins)
    if moment < ends:
        assert window_at(plan, moment) == window
    later = window_at(plan, ends)
    assert later is None or later.day > day
    earlier = window_at(plan, window.begins - timedelta(seconds=1))
    assert earlier is None or earlier.day < day
