"""Figures against what was reckoned by hand, and against other libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import wilson
from readfirst.watching.durations import durations
from readfirst.watching.shares import share


def test_a_share_of_nothing_is_none() -> None:
    nothing = share(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263, and 15 of 148, and 0 of 20.
    for hits, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        found = share(hits, of)
        assert found.low == pytest.approx(low, abs=5e-5)
        assert found.high == pytest.approx(high, abs=5e-5)
    assert share(0, 20).low == 0
    assert share(0, 20).high == pytest.approx(0.1611, abs=5e-5)


@given(of=st.integers(1, 5000), data=st.data())
def test_an_interval_holds_its_share(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    found, other = share(hits, of), wilson(hits, of)
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    assert found.low == pytest.approx(other.low)
    assert found.high == pytest.approx(other.high)


def test_times_are_told_by_quantiles_and_what_is_open_is_counted() -> None:
    took = durations(np.array([4.0, 1.0, np.nan, 2.0, 3.0]))
    assert (took.done, took.open, took.p50) == (4, 1, 2.5)
    assert took.p95 == pytest.approx(3.85)
    assert took.p99 == pytest.approx(3.97)


def test_where_nothing_is_done_there_are_no_quantiles() -> None:
    took = durations(np.array([np.nan]))
    assert (took.done, took.open, took.p50, took.p99) == (0, 1, None, None)
    assert durations(np.array([])).open == 0
