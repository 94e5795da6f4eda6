"""Thresholds from labelled probabilities: what they promise holds for all cases."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.manifest import SHIPPED, load_manifest, shipped_version
from readfirst.monitoring.reference import read_reference
from readfirst.statistics.confusion import Confusion
from readfirst.statistics.operating_points import (
    LabelledProbabilities,
    by_miss_cost,
    by_sensitivity,
    by_specificity,
    candidates,
    confusion_from,
    labelled,
    ppv_at,
    spread_over_bins,
)

PROBABILITIES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=40)
CASES = st.builds(labelled, PROBABILITIES, PROBABILITIES)
SHARES = st.floats(0.01, 1)


@given(CASES, SHARES)
def test_the_sensitivity_is_reached_and_no_higher_threshold_reaches_it(
    cases: LabelledProbabilities, least: float
) -> None:
    threshold = by_sensitivity(cases, least)
    assert confusion_from(cases, threshold).sensitivity >= least - 1e-9
    higher = [each for each in candidates(cases) if each > threshold]
    assert all(confusion_from(cases, each).sensitivity < least for each in higher)


@given(CASES, SHARES)
def test_the_specificity_is_reached_and_no_lower_threshold_reaches_it(
    cases: LabelledProbabilities, least: float
) -> None:
    threshold = by_specificity(cases, least)
    assert confusion_from(cases, threshold).specificity >= least - 1e-9
    lower = [each for each in candidates(cases) if each < threshold]
    assert all(confusion_from(cases, each).specificity < least for each in lower)


@given(CASES, st.floats(0.1, 50), st.floats(0.01, 0.99))
def test_no_threshold_costs_less(
    cases: LabelledProbabilities, miss_cost: float, prevalence: float
) -> None:
    def cost(threshold: float) -> float:
        counts = confusion_from(cases, threshold)
        missed, alarms = 1 - counts.sensitivity, 1 - counts.specificity
        return prevalence * miss_cost * missed + (1 - prevalence) * alarms

    chosen = by_miss_cost(cases, miss_cost, prevalence)
    least = min(cost(each) for each in (*candidates(cases), *cases.sick, *cases.healthy))
    assert cost(chosen) <= least + 1e-9


@given(CASES)
def test_candidates_lie_within_0_and_1_and_tell_all_cases_apart(
    cases: LabelledProbabilities,
) -> None:
    thresholds = candidates(cases)
    assert ((thresholds > 0) & (thresholds < 1)).all()
    assert (np.diff(thresholds) > 0).all()
    values = np.unique(np.concatenate([cases.sick, cases.healthy]))
    assert list(np.searchsorted(values, thresholds)) == list(range(len(values) + 1))


@given(CASES, st.floats(0.001, 0.999))
def test_the_counts_are_those_of_the_cases(cases: LabelledProbabilities, threshold: float) -> None:
    counts = confusion_from(cases, threshold)
    assert counts.true_positives == sum(value >= threshold for value in cases.sick)
    assert counts.true_negatives == sum(value < threshold for value in cases.healthy)
    assert counts.cases == len(cases.sick) + len(cases.healthy)


@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9, unique=True),
    st.data(),
)
def test_a_histogram_keeps_its_counts_at_every_edge(
    edges: list[float], data: st.DataObject
) -> None:
    edges.sort()
    size = len(edges) + 1
    counts = data.draw(st.lists(st.integers(0, 50), min_size=size, max_size=size))
    values = spread_over_bins(edges, counts)
    assert len(values) == sum(counts)
    for number, edge in enumerate(edges):
        assert (values < edge).sum() == pytest.approx(sum(counts[: number + 1]), abs=0)


def test_the_ppv_falls_with_the_prevalence_and_lies_in_its_interval() -> None:
    counts = Confusion(true_positives=90, false_negatives=10, false_positives=20, true_negatives=80)
    half, rare = ppv_at(counts, 0.5), ppv_at(counts, 0.05)
    assert half is not None
    assert rare is not None
    assert half.value == pytest.approx(0.9 / (0.9 + 0.2))
    assert rare.value == pytest.approx(0.05 * 0.9 / (0.05 * 0.9 + 0.95 * 0.2))
    for each in (half, rare):
        assert 0 < each.low < each.value < each.high < 1


def test_nothing_flagged_has_no_ppv_and_no_case_no_threshold() -> None:
    nobody = Confusion(true_positives=0, false_negatives=9, false_positives=0, true_negatives=9)
    assert ppv_at(nobody, 0.2) is None
    for choose in (by_sensitivity, by_specificity):
        with pytest.raises(ValueError, match="no cases"):
            choose(labelled([], []), 0.9)
    with pytest.raises(ValueError, match="both kinds"):
        by_miss_cost(labelled([0.5], []), 2, 0.1)
    with pytest.raises(ValueError, match="a share"):
        by_sensitivity(labelled([0.5], [0.4]), 1.5)


def test_certain_probabilities_leave_a_threshold_between_them() -> None:
    cases = labelled([1.0, 1.0], [0.0, 0.0])
    assert 0 < by_sensitivity(cases, 1) < 1
    assert confusion_from(cases, by_miss_cost(cases, 2, 0.2)).right == 4


def test_bins_say_about_what_was_measured_at_the_shipped_threshold() -> None:
    """A bin reaches from 0.33 to 0.998, and most of the pneumonias in it lie near its end."""
    folder = SHIPPED / shipped_version()
    manifest = load_manifest(folder)
    assert manifest.reference is not None
    assert manifest.metrics is not None
    scores = read_reference(json.loads((folder / manifest.reference.file).read_text())).scores
    cases = labelled(
        spread_over_bins(scores.edges, scores.pneumonia),
        spread_over_bins(scores.edges, scores.normal),
    )
    counts = confusion_from(cases, manifest.threshold)
    assert counts.sensitivity == pytest.approx(manifest.metrics.sensitivity.value, abs=0.03)
    assert counts.specificity == pytest.approx(manifest.metrics.specificity.value, abs=0.015)
