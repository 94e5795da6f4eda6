"""Calibration and thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laboratory.evaluation.threshold_selection import (
    calibrate,
    calibrate_for_the_worst,
    robust_threshold,
    threshold_for,
)
from models.combining import logit, sigmoid
from readfirst.statistics.calibration import calibration_error

shares = st.floats(0, 1)


def test_calibration_brings_overconfident_logits_down() -> None:
    generator = np.random.default_rng(0)
    true_logits = generator.normal(0, 1.5, 4000)
    labels = (generator.random(4000) < sigmoid(true_logits)).astype(int)
    fitted = calibrate(3 * true_logits, labels)
    assert fitted.slope == pytest.approx(1 / 3, abs=0.05)
    assert calibration_error(labels, sigmoid(3 * true_logits)) > 0.05
    calibrated = sigmoid(fitted.slope * 3 * true_logits + fitted.intercept)
    assert calibration_error(labels, calibrated) < 0.03


def test_calibration_states_probabilities_for_the_prevalence_that_films_stand_for() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, 4000)
    labels = (generator.random(4000) < sigmoid(logits)).astype(int)
    fitted = calibrate(logits, labels, prevalence=0.1)
    probabilities = sigmoid(fitted.slope * logits + fitted.intercept)
    weights = np.where(labels == 1, 0.1 / labels.mean(), 0.9 / (1 - labels.mean()))
    assert np.average(probabilities, weights=weights) == pytest.approx(0.1, abs=0.01)


def test_the_calibration_for_the_worst_states_less_where_films_elsewhere_look_sick() -> None:
    """Two departments alike and one where every film looks sicker and the classes lie closer."""
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 1500)
    home = generator.normal(4.0 * labels - 2, 1.5)
    elsewhere = generator.normal(3.0 * labels, 1.5)
    alike = {"home": home, "again": home, "elsewhere": elsewhere}

    def worst_loss(slope: float, intercept: float) -> float:
        sign = np.where(labels == 1, -1, 1)
        return max(
            float(np.logaddexp(0, sign * (slope * logits + intercept)).mean())
            for logits in alike.values()
        )

    mean = calibrate(np.concatenate(list(alike.values())), np.tile(labels, 3), prevalence=0.5)
    worst = calibrate_for_the_worst(alike, labels, 0.5)
    assert worst_loss(worst.slope, worst.intercept) < worst_loss(mean.slope, mean.intercept) - 0.02
    assert worst.intercept < mean.intercept
    errors = [
        calibration_error(labels, sigmoid(fitted.slope * elsewhere + fitted.intercept))
        for fitted in (mean, worst)
    ]
    assert errors[1] < errors[0] - 0.02


def test_a_calibration_for_one_acquisition_is_the_ordinary_one() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, 4000)
    labels = (generator.random(4000) < sigmoid(logits)).astype(int)
    ordinary = calibrate(logits, labels, prevalence=0.3)
    worst = calibrate_for_the_worst({"one": logits}, labels, 0.3)
    assert worst.slope == pytest.approx(ordinary.slope, abs=0.01)
    assert worst.intercept == pytest.approx(ordinary.intercept, abs=0.01)


def test_the_robust_threshold_is_good_where_it_is_worst() -> None:
    """Under the second acquisition all logits lie higher; the first alone would set it lower."""
    labels = np.array([0] * 100 + [1] * 100)
    ordinary = np.concatenate([np.linspace(-8, -2, 100), np.linspace(1.5, 9, 100)])
    shifted = ordinary + 3
    alone = logit(robust_threshold({"a": sigmoid(ordinary)}, labels, 3.0))
    both = logit(robust_threshold({"a": sigmoid(ordinary), "b": sigmoid(shifted)}, labels, 3.0))
    assert -2 < alone < 1.5
    assert 1 <= both <= 1.6, "between the highest shifted healthy film and the lowest sick one"


@given(cost=st.floats(1.0, 20.0))
def test_a_dearer_miss_never_raises_the_threshold(cost: float) -> None:
    generator = np.random.default_rng(1)
    labels = np.array([0] * 60 + [1] * 60)
    probabilities = {"a": sigmoid(generator.normal(2.0 * labels - 1, 1.5))}
    dear = robust_threshold(probabilities, labels, cost * 1.5)
    assert dear <= robust_threshold(probabilities, labels, cost) + 1e-9


def test_a_robust_threshold_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="both classes"):
        robust_threshold({"a": np.array([0.5])}, np.array([1]), 3.0)


@given(
    probabilities=arrays(np.float64, 40, elements=shares),
    sensitivity=st.floats(0.05, 1.0),
)
def test_the_threshold_reaches_the_stated_sensitivity_and_no_higher_one_does(
    probabilities: np.ndarray, sensitivity: float
) -> None:
    labels = np.array([1, 0] * 20)
    threshold = threshold_for(probabilities, labels, sensitivity)
    sick = probabilities[labels == 1]
    assert np.mean(sick >= threshold) >= sensitivity
    assert np.mean(sick >= np.nextafter(threshold, 2)) < sensitivity


def test_a_threshold_needs_a_sick_film() -> None:
    with pytest.raises(ValueError, match="no sick film"):
        threshold_for(np.array([0.5]), np.array([0]), 0.9)


def test_a_classifier_that_always_says_the_same_gets_that_as_its_threshold() -> None:
    same = np.full(4, 0.3)
    assert robust_threshold({"a": same}, np.array([0, 1, 0, 1]), 3.0) == pytest.approx(0.3)
