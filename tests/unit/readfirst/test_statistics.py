"""Shares, confusion and calibration against cases worked by hand, and against published ones."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from readfirst.statistics.calibration import calibration_error, reliability
from readfirst.statistics.confusion import Confusion, confusion_at, confusion_of, kappa, measures
from readfirst.statistics.shares import share, wilson_interval

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0])
PROBABILITIES = np.array([0.95, 0.8, 0.62, 0.2, 0.7, 0.31, 0.12, 0.04])
COUNTS = st.integers(0, 200)


def confusion(hits: int, alarms: int, missed: int, well: int) -> Confusion:
    return Confusion(
        true_positives=hits, false_positives=alarms, false_negatives=missed, true_negatives=well
    )


def test_a_share_of_nothing_is_none() -> None:
    nothing = share(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
    with pytest.raises(ValueError, match="nothing"):
        wilson_interval(0, 0)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    result = share(hits, of)
    assert (result.hits, result.of, result.value) == (hits, of, hits / of)
    assert (result.low, result.high) == wilson_interval(hits, of)
    assert (result.low, result.high) == pytest.approx((low, high), abs=6e-5)


@settings(deadline=None)
@given(of=st.integers(1, 5000), data=st.data())
def test_an_interval_holds_its_share(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    low, high = wilson_interval(hits, of)
    assert 0 <= low <= hits / of + 1e-12
    assert hits / of - 1e-12 <= high <= 1


@pytest.mark.parametrize(("hits", "of"), [(0, 7), (1, 3), (500, 1000), (1234, 98765), (7, 7)])
def test_an_interval_is_as_scipy_gives_it(hits: int, of: int) -> None:
    expected = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits, of) == pytest.approx((expected.low, expected.high), abs=1e-12)
    with pytest.raises(ValueError, match="part of its cases"):
        wilson_interval(of + 1, of)


def test_counts_at_a_threshold_include_the_films_that_lie_on_it() -> None:
    counts = confusion_at(LABELS, PROBABILITIES, 0.62)
    assert counts == confusion(3, 1, 1, 3)
    assert (counts.flagged, counts.sick, counts.right, counts.cases) == (4, 4, 6, 8)
    assert counts.sensitivity == 0.75
    assert counts.specificity == 0.75
    assert counts.accuracy == 0.75
    assert counts.f1 == 0.75
    assert counts.precision == 0.75


def test_flags_are_counted_as_they_are_given() -> None:
    flagged = np.array([True, True, True, False, False, False])
    sick = np.array([True, False, True, True, False, False])
    assert confusion_of(flagged, sick) == confusion(2, 1, 1, 2)


def test_precision_of_nobody_is_unknown() -> None:
    assert math.isnan(confusion_at(LABELS, PROBABILITIES, 0.99).precision)


def test_a_class_that_is_not_there_has_no_sensitivity() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = confusion(0, 1, 0, 2).sensitivity
    with pytest.raises(ZeroDivisionError):
        _ = confusion(1, 0, 2, 0).specificity


def test_figures_of_agreement_are_those_of_the_table() -> None:
    shares = measures(confusion(40, 10, 5, 45))
    assert {name: (each.hits, each.of) for name, each in shares.items()} == {
        "ppv": (40, 50),
        "npv": (45, 50),
        "sensitivity": (40, 45),
        "specificity": (45, 55),
        "agreement": (85, 100),
    }


@given(cells=st.tuples(*[st.integers(1, 200)] * 4))
def test_shares_and_figures_of_a_table_are_the_same(cells: tuple[int, int, int, int]) -> None:
    counts = confusion(*cells)
    shares = {name: each.value for name, each in measures(counts).items()}
    assert shares["ppv"] == counts.precision
    assert shares["sensitivity"] == counts.sensitivity
    assert shares["specificity"] == counts.specificity
    assert shares["agreement"] == counts.accuracy


def test_kappa_is_agreement_beyond_chance() -> None:
    # Observed 0.85; by chance 0.5 x 0.45 + 0.5 x 0.55 = 0.5.
    assert kappa(confusion(40, 10, 5, 45)) == pytest.approx(0.7)
    assert kappa(confusion(25, 25, 25, 25)) == pytest.approx(0)
    assert kappa(confusion(0, 0, 3, 9)) is None, "nothing was flagged"
    assert kappa(confusion(3, 9, 0, 0)) is None, "everything was flagged"
    assert kappa(confusion(3, 0, 9, 0)) is None, "everybody is sick"
    assert kappa(confusion(0, 3, 0, 9)) is None, "nobody is sick"
    assert kappa(confusion(0, 0, 0, 0)) is None


@settings(deadline=None)
@given(cells=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS))
def test_kappa_is_the_same_whoever_is_asked_first(cells: tuple[int, int, int, int]) -> None:
    counts = confusion(*cells)
    swapped = replace(
        counts, false_positives=counts.false_negatives, false_negatives=counts.false_positives
    )
    value, other = kappa(counts), kappa(swapped)
    assert (value is None) == (other is None)
    if value is not None and other is not None:
        assert value == pytest.approx(other, abs=1e-9)
        assert -1 <= value <= 1 + 1e-9


def test_bins_of_calibration_are_reckoned_by_hand() -> None:
    labels, stated = np.array([False, True, False, True]), np.array([0.05, 0.15, 0.11, 1.0])
    bins = reliability(labels, stated)
    assert len(bins) == 10
    assert [each.count for each in bins] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert bins[0].observed.value == 0
    assert bins[1].stated == pytest.approx(0.13)
    assert bins[1].observed == share(1, 2)
    assert (bins[2].stated, bins[2].observed.value, bins[2].observed.low) == (None, None, None)
    assert (bins[9].lower, bins[9].upper, bins[9].observed.of) == (0.9, 1.0, 1)
    assert calibration_error(labels, stated) == pytest.approx((0.05 + 2 * 0.37 + 0) / 4)


def test_of_no_cases_there_is_no_calibration_error() -> None:
    nothing = np.array([])
    assert sum(each.count for each in reliability(nothing, nothing)) == 0
    with pytest.raises(ValueError, match="nothing"):
        calibration_error(nothing, nothing)


@settings(deadline=None)
@given(data=st.data(), cases=st.integers(1, 60))
def test_the_bins_add_up_to_the_calibration_error(cases: int, data: st.DataObject) -> None:
    stated = np.array(data.draw(st.lists(st.floats(0, 1), min_size=cases, max_size=cases)))
    sick = np.array(data.draw(st.lists(st.booleans(), min_size=cases, max_size=cases)))
    bins = reliability(sick, stated)
    assert sum(each.count for each in bins) == cases
    gaps = [
        each.count / cases * abs(each.stated - each.observed.value)
        for each in bins
        if each.stated is not None and each.observed.value is not None
    ]
    assert calibration_error(sick, stated) == pytest.approx(sum(gaps))
