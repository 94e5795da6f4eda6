"""Metrics, against those of scikit-learn and by hand."""

import numpy as np
import pytest

from laboratory.evaluation.metrics import evaluate, figures, predictive_values


def test_figures_are_those_of_scikit_learn_within_their_intervals() -> None:
    # Here, since to import it takes a second of each process that collects tests.
    from sklearn.metrics import recall_score, roc_auc_score

    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 300)
    probabilities = np.clip(labels * 0.3 + generator.random(300) * 0.7, 0, 1)
    patients = np.array([f"p{i // 2}" for i in range(300)])
    metrics = evaluate(labels, probabilities, patients, 0.5)
    assert metrics.auc.value == pytest.approx(roc_auc_score(labels, probabilities))
    assert metrics.sensitivity.value == pytest.approx(recall_score(labels, probabilities >= 0.5))
    assert metrics.auc.low < metrics.auc.value < metrics.auc.high
    assert metrics.auc.high - metrics.auc.low < 0.15
    assert (metrics.images, metrics.patients) == (300, 150)


@pytest.mark.parametrize("steps", [2, 5, 1000], ids=["many ties", "ties", "hardly a tie"])
@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.1])
def test_every_figure_is_that_of_scikit_learn(steps: int, threshold: float) -> None:
    from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

    generator = np.random.default_rng(steps)
    labels = generator.integers(0, 2, 60)
    probabilities = generator.integers(0, steps, 60) / steps
    flagged = probabilities >= threshold
    measured = figures(labels, probabilities, threshold, 0.2)
    assert measured["auc"] == pytest.approx(roc_auc_score(labels, probabilities))
    assert measured["sensitivity"] == recall_score(labels, flagged)
    assert measured["specificity"] == recall_score(labels, flagged, pos_label=0)
    assert measured["accuracy"] == accuracy_score(labels, flagged)
    assert measured["f1"] == pytest.approx(f1_score(labels, flagged))


def test_predictive_values_by_hand() -> None:
    ppv, npv = predictive_values(sensitivity=0.9, specificity=0.8, prevalence=0.1)
    assert ppv == pytest.approx(0.09 / (0.09 + 0.18))
    assert npv == pytest.approx(0.72 / (0.72 + 0.01))


def test_probabilities_are_held_against_the_share_of_pneumonia_among_the_films() -> None:
    """Right for a share of one half; of these films four fifths are sick."""
    generator = np.random.default_rng(0)
    labels = (generator.random(6000) < 0.8).astype(int)
    logits = generator.normal(2.0 * labels - 1, np.sqrt(2))
    probabilities = 1 / (1 + np.exp(-logits))
    stated = figures(labels, probabilities, 0.5, 0.2, presupposed=0.5)
    assert stated["ece"] > 0.15
    assert stated["ece_at_own_prevalence"] < 0.03
    assert np.isnan(figures(labels, probabilities, 0.5, 0.2)["ece_at_own_prevalence"])


def test_an_evaluation_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="both classes"):
        evaluate(np.ones(5, int), np.ones(5), np.arange(5), 0.5)
