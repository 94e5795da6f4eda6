"""The contrast of two distances, and its threshold."""

import numpy as np
import pytest

from laboratory.unlike.fit_contrast import (
    LEAST_DEVIATION,
    by_name,
    choose_threshold,
    fit_contrast,
    source_weights,
    without,
)


def films(count: int, mean: float, seed: int, features: int = 6) -> np.ndarray:
    """Features that vary together, about a mean in the first of them."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(1).normal(size=(features, features))
    values = generator.normal(size=(count, features)) @ mixing
    values[:, 0] += mean
    return values.astype(np.float32)


def squared_distance(films: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    away = films - mean
    return np.asarray(np.sum(away @ np.linalg.inv(covariance) * away, axis=1))


def test_the_contrast_is_half_the_difference_of_two_mahalanobis_distances() -> None:
    validated, other = films(300, 0, seed=2), films(200, 3, seed=3)
    contrast = fit_contrast(validated, other, ["there"] * 200, shrinkage=0.0)
    mean, other_mean = validated.mean(axis=0), other.mean(axis=0)
    covariance = (np.cov(validated.T, bias=True) + np.cov(other.T, bias=True)) / 2
    some = films(50, 1, seed=4)
    expected = (
        squared_distance(some, mean, covariance) - squared_distance(some, other_mean, covariance)
    ) / 2
    np.testing.assert_allclose(contrast.of(some), expected, atol=1e-3)


def test_films_of_other_people_stand_above_the_validated_ones() -> None:
    contrast = fit_contrast(films(300, 0, seed=2), films(200, 20, seed=3), ["there"] * 200)
    assert np.mean(contrast.of(films(100, 20, seed=5)) > 0) > 0.95
    assert np.mean(contrast.of(films(100, 0, seed=6)) > 0) < 0.05


def test_a_feature_that_never_changes_is_no_sign() -> None:
    validated, other = films(300, 0, seed=2), films(200, 8, seed=3)
    validated[:, 5] = other[:, 5] = 7.0
    contrast = fit_contrast(validated, other, ["there"] * 200)
    assert abs(contrast.weights[5]) * LEAST_DEVIATION < 1e-6


def test_a_large_source_counts_by_the_root_of_its_number() -> None:
    weights = source_weights(["large"] * 100 + ["small"] * 4)
    assert weights.sum() == pytest.approx(1)
    assert weights[:100].sum() / weights[100:].sum() == pytest.approx(5)


def test_the_threshold_marks_at_most_its_share_under_the_worst_acquisition() -> None:
    generator = np.random.default_rng(0)
    acquisitions = [generator.normal(shift, 1, 200) for shift in (0, 1, 3)]
    threshold = choose_threshold(acquisitions, 0.01)
    marked = [int(np.sum(values >= threshold)) for values in acquisitions]
    assert marked[2] == 2
    assert max(marked) == 2
    assert choose_threshold([np.zeros(5)], 0.01) > 0


def test_films_are_left_out_and_grouped_by_name() -> None:
    values, names = np.arange(6, dtype=np.float32).reshape(3, 2), ["a", "b", "a"]
    left, left_names = without(values, names, "a")
    assert (left.tolist(), left_names) == ([[2, 3]], ["b"])
    groups = by_name(names, np.array([1.0, 0.0, 0.0]))
    assert {name: list(group) for name, group in groups.items()} == {"a": [1.0, 0.0], "b": [0.0]}
