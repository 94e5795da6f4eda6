"""Days and weeks of a site."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readfirst.monitoring.period import MOST_DAYS, MOST_DAYS_BY_DAY, make_period

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


def test_four_weeks_up_to_today_are_meant_where_nobody_says() -> None:
    period = make_period(None, None, NOW, MADRID)
    assert (period.first, period.last) == (date(2026, 3, 5), date(2026, 4, 1))
    assert period.by == "day"
    assert len(period.time_buckets) == 28


def test_a_day_of_the_site_has_its_own_hours() -> None:
    # On 29 March 2026 the clocks of Madrid go forward.
    period = make_period(date(2026, 3, 29), date(2026, 3, 29), NOW, MADRID)
    assert period.end.astimezone(UTC) - period.start.astimezone(UTC) == timedelta(hours=23)
    assert period.start == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)


def test_weeks_begin_on_monday_but_for_the_first() -> None:
    period = make_period(date(2026, 1, 7), date(2026, 1, 20), NOW, MADRID)
    days = [(week.first.day, week.last.day) for week in period.weeks]
    assert days == [(7, 11), (12, 18), (19, 20)]


@settings(deadline=None)
@given(first=st.dates(date(1950, 1, 1), date(2100, 1, 1)), days=st.integers(0, MOST_DAYS - 1))
def test_the_time_buckets_part_a_period_without_gap_or_overlap(first: date, days: int) -> None:
    period = make_period(first, first + timedelta(days=days), NOW, MADRID)
    for buckets in (period.time_buckets, period.weeks):
        assert buckets[0].first == first
        assert buckets[-1].last == period.last
        for bucket, following in pairwise(buckets):
            assert bucket.first <= bucket.last
            assert following.first - bucket.last == timedelta(days=1)
        assert period.ends(buckets)[-1] == period.end
    assert (period.by == "day") == (days < MOST_DAYS_BY_DAY)


def test_a_period_that_is_none_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="before the first"):
        make_period(date(2026, 2, 1), date(2026, 1, 31), NOW, MADRID)
    with pytest.raises(ValueError, match="At most"):
        make_period(date(2020, 1, 1), date(2026, 1, 31), NOW, MADRID)
