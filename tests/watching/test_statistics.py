"""Figures against what was reckoned by hand, and against other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import calibration_error as lab_error
from readfirst.watching.agreement import Confusion, kappa, measures
from readfirst.watching.calibration import calibration_error, reliability
from readfirst.watching.durations import durations
from readfirst.watching.reference import Binned, Expected, binned, counted, mixed, smoothed
from readfirst.watching.shares import share
from readfirst.watching.stability import Judged, by_chance, judge, stability_index


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


@settings(deadline=None)
@given(of=st.integers(1, 5000), data=st.data())
def test_an_interval_holds_its_share(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    found = share(hits, of)
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_times_are_told_by_quantiles_and_what_is_open_is_counted() -> None:
    took = durations(np.array([4.0, 1.0, np.nan, 2.0, 3.0]))
    assert (took.done, took.open, took.p50) == (4, 1, 2.5)
    assert took.p95 == pytest.approx(3.85)
    assert took.p99 == pytest.approx(3.97)


def test_where_nothing_is_done_there_are_no_quantiles() -> None:
    took = durations(np.array([np.nan]))
    assert (took.done, took.open, took.p50, took.p99) == (0, 1, None, None)
    assert durations(np.array([])).open == 0


COUNTS = st.integers(0, 200)


def test_figures_of_agreement_are_those_of_the_table() -> None:
    found = measures(Confusion(true_positive=40, false_positive=10, missed=5, true_negative=45))
    assert {name: (each.hits, each.of) for name, each in found.items()} == {
        "ppv": (40, 50),
        "npv": (45, 50),
        "sensitivity": (40, 45),
        "specificity": (45, 55),
        "agreement": (85, 100),
    }


def test_kappa_is_agreement_beyond_chance() -> None:
    # Observed 0.85; by chance 0.5 x 0.45 + 0.5 x 0.55 = 0.5.
    assert kappa(Confusion(40, 10, 5, 45)) == pytest.approx(0.7)
    assert kappa(Confusion(25, 25, 25, 25)) == pytest.approx(0)
    assert kappa(Confusion(0, 0, 3, 9)) is None, "nothing was flagged"
    assert kappa(Confusion(3, 9, 0, 0)) is None
    assert kappa(Confusion(0, 0, 0, 0)) is None


@settings(deadline=None)
@given(cells=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS))
def test_kappa_is_the_same_whoever_is_asked_first(cells: tuple[int, int, int, int]) -> None:
    hit, false, missed, well = cells
    one, other = (
        kappa(Confusion(hit, false, missed, well)),
        kappa(Confusion(hit, missed, false, well)),
    )
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one == pytest.approx(other, abs=1e-9)
        assert -1 <= one <= 1 + 1e-9


@settings(deadline=None)
@given(data=st.data(), studies=st.integers(1, 60))
def test_the_calibration_error_is_the_laboratorys(studies: int, data: st.DataObject) -> None:
    said = np.array(data.draw(st.lists(st.floats(0, 1), min_size=studies, max_size=studies)))
    sick = np.array(data.draw(st.lists(st.booleans(), min_size=studies, max_size=studies)))
    bins = reliability(said, sick)
    assert sum(each.observed.of for each in bins) == studies
    assert calibration_error(bins) == pytest.approx(lab_error(sick.astype(int), said))


def test_bins_of_calibration_are_reckoned_by_hand() -> None:
    bins = reliability(np.array([0.05, 0.15, 0.11, 1.0]), np.array([False, True, False, True]))
    assert bins[0].observed.value == 0
    assert bins[1].stated == pytest.approx(0.13)
    assert bins[1].observed.value == 0.5
    assert (bins[2].stated, bins[2].observed.value) == (None, None)
    assert (bins[9].lower, bins[9].observed.of) == (0.9, 1)
    assert calibration_error(bins) == pytest.approx((0.05 + 2 * 0.37 + 0) / 4)
    assert calibration_error(reliability(np.array([]), np.array([], dtype=bool))) is None


def test_the_stability_index_is_reckoned_by_hand() -> None:
    expected = Expected((0.5,), np.array([0.5, 0.5]), 1e9)
    # Counts of 599.5 and 399.5 are 600 and 400 when each is raised by a half.
    index = stability_index(expected, np.array([599.5, 399.5]))
    assert index == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))


SHARES = st.lists(st.integers(0, 500), min_size=2, max_size=12)


@settings(deadline=None)
@given(one=SHARES, data=st.data())
def test_the_index_is_never_negative_and_zero_for_the_same(
    one: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)))
    expected = Expected((), smoothed(other), 100)
    assert stability_index(expected, one) >= 0
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
    found = binned(values, labels)
    assert (sum(found.pneumonia), sum(found.normal), found.own_prevalence) == (900, 100, 0.9)
    assert mixed(found, 0.5).shares == pytest.approx(np.full(10, 0.1), abs=0.02)
    # By hand: a tenth sick, and the lowest bins hold the healthy alone.
    assert mixed(found, 0.1).shares[:5].sum() == pytest.approx(0.9, abs=0.04)
    assert mixed(found, 0.1).behind == pytest.approx(1 / (0.01 / 900 + 0.81 / 100))


def test_values_that_come_often_make_fewer_bins() -> None:
    labels = np.array([1, 0] * 50)
    found = binned(np.where(np.arange(100) < 80, 0.0, np.arange(100)), labels)
    assert found.edges
    assert found.edges[0] > 0
    assert sum(found.pneumonia) == sum(found.normal) == 50
    assert binned(np.zeros(10), labels[:10]) == Binned((), (5,), (5,))


def test_a_value_at_an_edge_is_of_the_bin_above() -> None:
    assert counted(np.array([0.1, 0.2, 0.3]), (0.2,)) == (1, 2)
