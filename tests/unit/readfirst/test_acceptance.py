"""Acceptance figures: intervals hold what they say, and outcomes follow them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readfirst.statistics.acceptance import (
    AcceptanceReport,
    LabelledStudy,
    Promise,
    PromiseOutcome,
    accept,
    judge,
)
from readfirst.statistics.discrimination import area_under_curve, calibration_interval
from readfirst.statistics.operating_points import Interval, labelled

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=30)
PROMISE = Promise(
    ensemble_version="1",
    threshold=0.5,
    sensitivity=Interval(0.9, 0.85, 0.95),
    specificity=Interval(0.9, 0.85, 0.95),
    auc=Interval(0.95, 0.93, 0.97),
    ece=Interval(0.03, 0.02, 0.05),
    presupposed=0.5,
    miss_cost=2.0,
    population="children of 1 to 5 years",
)


def a_study(probability: float, *, sick: bool, **values: object) -> LabelledStudy:
    defaults: dict[str, object] = {
        "received_at": NOW,
        "validated": True,
        "sex": "F",
        "scanner": "A",
        "view": "AP",
    }
    return LabelledStudy(probability=probability, sick=sick, **(defaults | values))  # type: ignore[arg-type]


def accepted(studies: list[LabelledStudy], threshold: float = 0.5) -> AcceptanceReport:
    return accept(
        studies,
        PROMISE,
        threshold=threshold,
        threshold_version=1,
        labels="of a test",
        made_at=NOW,
    )


@given(PROBABILITIES, PROBABILITIES)
def test_the_area_is_the_share_of_pairs_in_order(sick: list[float], healthy: list[float]) -> None:
    area = area_under_curve(labelled(sick, healthy))
    assert area is not None
    pairs = [(1.0 if s > h else 0.5 if s == h else 0.0) for s in sick for h in healthy]
    assert area.value == pytest.approx(np.mean(pairs))
    assert 0 <= area.low <= area.value <= area.high <= 1
    mirrored = area_under_curve(labelled(healthy, sick))
    assert mirrored is not None
    assert mirrored.low == pytest.approx(1 - area.high, abs=1e-6)


def test_a_perfect_area_of_few_cases_is_uncertain() -> None:
    area = area_under_curve(labelled([0.9] * 3, [0.1] * 3))
    assert area is not None
    assert (area.value, area.high) == (1, 1)
    assert area.low < 0.8
    many = area_under_curve(labelled([0.9] * 300, [0.1] * 300))
    assert many is not None
    assert many.low > 0.98
    assert area_under_curve(labelled([0.5], [])) is None


def test_the_interval_of_the_area_covers_the_truth() -> None:
    generator = np.random.default_rng(7)
    inside = 0
    for _ in range(300):
        sick = 1 / (1 + np.exp(-generator.normal(1.19, 1, 40)))
        healthy = 1 / (1 + np.exp(-generator.normal(0, 1, 60)))
        area = area_under_curve(labelled(sick, healthy))
        assert area is not None
        # Two normal distributions that are 1.19 apart have an area of 0.80.
        inside += area.low <= 0.80 <= area.high
    assert inside / 300 > 0.92


@settings(max_examples=20, deadline=None)
@given(PROBABILITIES, PROBABILITIES)
def test_the_calibration_error_lies_in_its_interval(
    sick: list[float], healthy: list[float]
) -> None:
    error = calibration_interval(labelled(sick, healthy))
    assert error is not None
    assert 0 <= error.low <= error.value <= error.high <= 1
    assert calibration_interval(labelled([], [])) is None


@pytest.mark.parametrize(
    ("at_site", "outcome"),
    [
        (Interval(0.5, 0.4, 0.6), PromiseOutcome.LOWER),
        (Interval(0.85, 0.8, 0.9), PromiseOutcome.AGREES),
        (Interval(0.99, 0.98, 1), PromiseOutcome.HIGHER),
        (None, PromiseOutcome.NOT_COMPARABLE),
    ],
)
def test_a_figure_is_judged_by_its_interval(
    at_site: Interval | None, outcome: PromiseOutcome
) -> None:
    assert judge(at_site, Interval(0.9, 0.85, 0.95)) is outcome


def test_a_site_that_does_worse_is_said_so_by_group() -> None:
    studies = [
        *(a_study(0.9, sick=True) for _ in range(50)),
        *(a_study(0.1, sick=False, received_at=NOW + timedelta(days=3)) for _ in range(150)),
        *(a_study(0.2, sick=True, scanner="B", view="PA", validated=False) for _ in range(50)),
        *(a_study(0.3, sick=False, scanner="B", view="PA", validated=False) for _ in range(50)),
    ]
    report = accepted(studies)
    assert report.whole.sensitivity.value == 0.5
    compared = {each.figure: each for each in report.compared}
    assert compared["sensitivity"].outcome is PromiseOutcome.LOWER
    assert compared["sensitivity"].worse
    assert not compared["specificity"].worse
    scanners = {row.group: row for row in report.groups["scanner"]}
    assert (scanners["A"].studies, scanners["A"].sensitivity.value) == (200, 1)
    assert scanners["B"].sensitivity.value == 0
    assert [row.group for row in report.groups["population"]] == ["validated", "not validated"]
    assert (report.prevalence.hits, report.prevalence.of) == (100, 300)
    assert (report.first, report.last) == (NOW, NOW + timedelta(days=3))
    assert report.proposed_threshold is not None
    assert report.proposed_threshold < 0.5
    assert report.proposal is not None
    assert report.proposal.missed_then_flagged.hits == 50
    assert report.roc[0] == (0, 0)
    assert report.roc[-1] == (1, 1)


def test_the_ppv_is_stated_at_the_prevalence_of_the_site() -> None:
    studies = [a_study(0.9, sick=number < 80) for number in range(100)]
    studies += [a_study(0.1, sick=number < 20) for number in range(100)]
    own, rare = (
        accept(
            studies,
            PROMISE,
            threshold=0.5,
            threshold_version=1,
            labels="of a test",
            made_at=NOW,
            site_prevalence=prevalence,
        )
        for prevalence in (None, 0.05)
    )
    assert own.site_prevalence == 0.5
    assert own.ppv_at_prevalence is not None
    assert rare.ppv_at_prevalence is not None
    assert own.ppv_at_prevalence.value == pytest.approx(0.8)
    assert rare.ppv_at_prevalence.value == pytest.approx(0.04 / (0.04 + 0.19))


def test_another_threshold_is_not_held_against_the_promise_and_few_cases_propose_none() -> None:
    report = accepted([a_study(0.9, sick=True), a_study(0.1, sick=False)], threshold=0.4)
    outcomes = {each.figure: each.outcome for each in report.compared}
    assert outcomes["sensitivity"] is PromiseOutcome.NOT_COMPARABLE
    assert outcomes["auc"] is not PromiseOutcome.NOT_COMPARABLE
    assert report.proposed_threshold is None
    with pytest.raises(ValueError, match="both labels"):
        accepted([a_study(0.9, sick=True)])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
        lambda pairs: len({sick for _, sick in pairs}) == 2
    )
)
def test_groups_add_up_to_the_whole(pairs: list[tuple[float, bool]]) -> None:
    studies = [
        a_study(probability, sick=sick, scanner="AB"[number % 2])
        for number, (probability, sick) in enumerate(pairs)
    ]
    report = accepted(studies)
    for rows in report.groups.values():
        assert sum(row.studies for row in rows) == len(studies)
        assert sum(row.sick for row in rows) == report.whole.sick
    xs = [x for x, _ in report.roc]
    assert xs == sorted(xs)
