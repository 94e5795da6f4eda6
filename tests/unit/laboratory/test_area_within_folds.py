"""The area under the ROC curve within folds, against a count of all pairs."""

import numpy as np
import pytest

from laboratory.evaluation.area_within_folds import AreaWithinFolds


def counted(
    fold_of: np.ndarray, sick: np.ndarray, probabilities: np.ndarray, at: np.ndarray
) -> float:
    """Ask each pair of a sick and a healthy film of one fold."""
    points = [
        (probabilities[a] > probabilities[b]) + (probabilities[a] == probabilities[b]) / 2
        for a in at
        for b in at
        if sick[a] and not sick[b] and fold_of[a] == fold_of[b]
    ]
    return float(np.mean(points))


@pytest.mark.parametrize("decimals", [1, 8])
def test_every_pair_of_a_fold_counts_and_no_other(decimals: int) -> None:
    """Films are drawn more than once, or not at all; with one decimal, many have one value."""
    generator = np.random.default_rng(0)
    fold_of, sick = generator.integers(0, 3, 60), generator.random(60) < 0.4
    probabilities = np.round(generator.random(60), decimals)
    area = AreaWithinFolds(fold_of, sick, probabilities)
    for _ in range(5):
        at = generator.integers(0, 60, 60)
        assert area(at) == pytest.approx(counted(fold_of, sick, probabilities, at))


def test_where_no_fold_has_both_classes_there_is_no_area() -> None:
    area = AreaWithinFolds(np.array([0, 0, 1]), np.array([True, True, False]), np.full(3, 0.5))
    assert np.isnan(area(np.arange(3)))
