"""Times, drift and references against what was reckoned by hand, and against other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readfirst.monitoring.durations import durations
from readfirst.monitoring.reference import Binned, Expected, binned, counted, mixed, smoothed
from readfirst.monitoring.stability import Judged, by_chance, judge, stability_index


def test_times_are_told_by_quantiles_and_what_is_open_is_counted() -> None:
    took = durations(np.array([4.0, 1.0, np.nan, 2.0, 3.0]))
    assert (took.done, took.open, took.p50) == (4, 1, 2.5)
    assert took.p95 == pytest.approx(3.85)
    assert took.p99 == pytest.approx(3.97)


def test_where_nothing_is_done_there_are_no_quantiles() -> None:
    took = durations(np.array([np.nan]))
    assert (took.done, took.open, took.p50, took.p99) == (0, 1, None, None)
    assert durations(np.array([])).open == 0


def test_the_stability_index_is_reckoned_by_hand() -> None:
    expected = Expected((0.5,), np.array([0.5, 0.5]), 1e9)
    # Counts of 599.5 and 399.5 are 600 and 400 when each is raised by a half.
    index = stability_index(expected, np.array([599.5, 399.5]))
    assert index == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))


SHARES = st.lists(st.integers(0, 500), min_size=2, max_size=12)


@settings(deadline=None)
@given(counts=SHARES, data=st.data())
def test_the_index_is_never_negative_and_zero_for_the_same(
    counts: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(counts), max_size=len(counts)))
    expected = Expected((), smoothed(other), 100)
    assert stability_index(expected, counts) >= 0
    assert stability_index(expected, other) == pytest.approx(0, abs=1e-12)


def test_chance_alone_stays_below_its_bound_in_99_of_100_cases() -> None:
    chance = np.random.default_rng(5)
    shares = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05])
    for films, behind in ((80, 400), (2000, 700)):
        above = 0
        for _ in range(1000):
            known = Expected((), smoothed(chance.multinomial(behind, shares)), behind)
            seen = chance.multinomial(films, shares)
            above += stability_index(known, seen) > by_chance(known, films)
        assert 0 <= above <= 25, "more than one in forty"


@pytest.mark.parametrize(
    ("index", "films", "chance", "judged"),
    [
        (9.0, 49, 0.0, Judged.TOO_FEW),
        (0.09, 500, 0.01, Judged.STABLE),
        (0.3, 60, 0.35, Judged.STABLE),
        (0.2, 500, 0.01, Judged.CHANGED),
        (0.25, 500, 0.01, Judged.DRIFT),
    ],
)
def test_what_chance_explains_is_no_change(
    index: float, films: int, chance: float, judged: Judged
) -> None:
    assert judge(index, films, chance, least=50, notice=0.1, alarm=0.25) is judged


def test_a_reference_is_binned_so_that_both_classes_count_alike() -> None:
    chance = np.random.default_rng(2)
    labels = np.array([1] * 900 + [0] * 100)
    values = np.where(labels == 1, chance.normal(3, 1, 1000), chance.normal(-3, 1, 1000))
    bins = binned(values, labels)
    assert (sum(bins.pneumonia), sum(bins.normal), bins.own_prevalence) == (900, 100, 0.9)
    assert mixed(bins, 0.5).shares == pytest.approx(np.full(10, 0.1), abs=0.02)
    # By hand: a tenth sick, and the lowest bins hold the healthy alone.
    assert mixed(bins, 0.1).shares[:5].sum() == pytest.approx(0.9, abs=0.04)
    assert mixed(bins, 0.1).behind == pytest.approx(1 / (0.01 / 900 + 0.81 / 100))


def test_an_edge_at_the_threshold_counts_its_two_sides_exactly() -> None:
    chance = np.random.default_rng(2)
    labels = np.array([1] * 900 + [0] * 100)
    values = np.where(labels == 1, chance.normal(3, 1, 1000), chance.normal(-3, 1, 1000))
    bins = binned(values, labels, edge_at=1.5)
    above = [edge >= 1.5 for edge in bins.edges]
    flagged = sum(bins.pneumonia[1 + above.index(True) :])
    assert flagged == np.sum(values[labels == 1] >= 1.5)
    assert len(bins.edges) == len(binned(values, labels).edges) + 1


def test_values_that_come_often_make_fewer_bins() -> None:
    labels = np.array([1, 0] * 50)
    bins = binned(np.where(np.arange(100) < 80, 0.0, np.arange(100)), labels)
    assert bins.edges
    assert bins.edges[0] > 0
    assert sum(bins.pneumonia) == sum(bins.normal) == 50
    assert binned(np.zeros(10), labels[:10]) == Binned((), (5,), (5,))


def test_a_value_at_an_edge_is_of_the_bin_above() -> None:
    assert counted(np.array([0.1, 0.2, 0.3]), (0.2,)) == (1, 2)
