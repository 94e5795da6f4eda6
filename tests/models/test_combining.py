import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from models.combining import (
    calibrate,
    combine,
    logit,
    robust_threshold,
    sigmoid,
    threshold_for,
)
from models.evaluation import calibration_error, evaluate, figures, predictive_values

probabilities = st.floats(0, 1)


@given(said=arrays(np.float64, (3, 5), elements=probabilities), order=st.permutations(range(3)))
def test_the_order_of_the_members_does_not_matter(said: np.ndarray, order: list[int]) -> None:
    weights = [0.5, 0.3, 0.2]
    logits = logit(said)
    turned = combine(logits[order], [weights[i] for i in order])
    np.testing.assert_allclose(turned, combine(logits, weights), atol=1e-12)


@given(low=probabilities, high=probabilities, other=probabilities)
def test_the_ensemble_never_falls_when_a_member_rises(
    low: float, high: float, other: float
) -> None:
    low, high = sorted((low, high))
    both = combine(logit([[low, high], [other, other]]), [0.5, 0.5])
    assert both[0] <= both[1]


@given(p=st.floats(1e-5, 1 - 1e-5))
def test_sigmoid_undoes_logit(p: float) -> None:
    assert sigmoid(logit(p)) == pytest.approx(p)


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
    said = sigmoid(fitted.slope * logits + fitted.intercept)
    weights = np.where(labels == 1, 0.1 / labels.mean(), 0.9 / (1 - labels.mean()))
    assert np.average(said, weights=weights) == pytest.approx(0.1, abs=0.01)


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
    said = {"a": sigmoid(generator.normal(2.0 * labels - 1, 1.5))}
    dear = robust_threshold(said, labels, cost * 1.5)
    assert dear <= robust_threshold(said, labels, cost) + 1e-9


def test_a_robust_threshold_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="both classes"):
        robust_threshold({"a": np.array([0.5])}, np.array([1]), 3.0)


@given(
    said=arrays(np.float64, 40, elements=probabilities),
    sensitivity=st.floats(0.05, 1.0),
)
def test_the_threshold_reaches_the_stated_sensitivity_and_no_higher_one_does(
    said: np.ndarray, sensitivity: float
) -> None:
    labels = np.array([1, 0] * 20)
    threshold = threshold_for(said, labels, sensitivity)
    sick = said[labels == 1]
    assert np.mean(sick >= threshold) >= sensitivity
    assert np.mean(sick >= np.nextafter(threshold, 2)) < sensitivity


def test_a_threshold_needs_a_sick_film() -> None:
    with pytest.raises(ValueError, match="no sick film"):
        threshold_for(np.array([0.5]), np.array([0]), 0.9)


def test_figures_are_those_of_scikit_learn_within_their_intervals() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 300)
    said = np.clip(labels * 0.3 + generator.random(300) * 0.7, 0, 1)
    patients = np.array([f"p{i // 2}" for i in range(300)])
    metrics = evaluate(labels, said, patients, 0.5)
    assert metrics.auc.value == pytest.approx(roc_auc_score(labels, said))
    assert metrics.sensitivity.value == pytest.approx(recall_score(labels, said >= 0.5))
    assert metrics.auc.low < metrics.auc.value < metrics.auc.high
    assert metrics.auc.high - metrics.auc.low < 0.15
    assert (metrics.images, metrics.patients) == (300, 150)


@pytest.mark.parametrize("steps", [2, 5, 1000], ids=["many ties", "ties", "hardly a tie"])
@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.1])
def test_every_figure_is_that_of_scikit_learn(steps: int, threshold: float) -> None:
    generator = np.random.default_rng(steps)
    labels = generator.integers(0, 2, 60)
    said = generator.integers(0, steps, 60) / steps
    flagged = said >= threshold
    found = figures(labels, said, threshold, 0.2)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, said))
    assert found["sensitivity"] == recall_score(labels, flagged)
    assert found["specificity"] == recall_score(labels, flagged, pos_label=0)
    assert found["accuracy"] == accuracy_score(labels, flagged)
    assert found["f1"] == pytest.approx(f1_score(labels, flagged))


def test_predictive_values_by_hand() -> None:
    ppv, npv = predictive_values(sensitivity=0.9, specificity=0.8, prevalence=0.1)
    assert ppv == pytest.approx(0.09 / (0.09 + 0.18))
    assert npv == pytest.approx(0.72 / (0.72 + 0.01))


def test_an_evaluation_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="both classes"):
        evaluate(np.ones(5, int), np.ones(5), np.arange(5), 0.5)


def test_a_classifier_that_always_says_the_same_gets_that_as_its_threshold() -> None:
    same = np.full(4, 0.3)
    assert robust_threshold({"a": same}, np.array([0, 1, 0, 1]), 3.0) == pytest.approx(0.3)
