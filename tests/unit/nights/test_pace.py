from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from readfirst.nights.pace import AN_HOUR, MOST_SAVED, allowance

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
rates = st.integers(1, 10_000_000)


def test_without_a_bound_as_many_as_the_workers_take() -> None:
    assert allowance(NOW, NOW, None, 32).films == 32


@given(rates, st.lists(st.floats(0, 7200), max_size=60), st.integers(0, 512))
def test_no_time_has_more_than_its_share_and_a_minute_besides(
    rate: int, pauses: list[float], most: int
) -> None:
    each = AN_HOUR / rate
    paced_until, at, slices = NOW, NOW, [(NOW, 0)]
    for pause in pauses:
        at += timedelta(seconds=pause)
        allowed = allowance(paced_until, at, rate, most)
        assert 0 <= allowed.films <= most
        assert allowed.paced_until <= at
        paced_until = allowed.paced_until
        slices.append((at, allowed.films))
    for number, (begin, _) in enumerate(slices):
        films = sum(count for _, count in slices[number:])
        assert films <= (at - begin + max(MOST_SAVED, each)) / each + 1e-6


@given(rates)
def test_the_rate_is_reached_by_who_comes_often_enough(rate: int) -> None:
    paced_until, at, films = NOW, NOW, 0
    while at < NOW + AN_HOUR:
        at += timedelta(seconds=10)
        allowed = allowance(paced_until, at, rate, 10_000_000)
        paced_until, films = allowed.paced_until, films + allowed.films
    # A film's time is a whole number of microseconds.
    assert rate * (1 - 2e-3) - 1 <= films <= rate * (1 + 2e-3)
