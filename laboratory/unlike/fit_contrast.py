"""The contrast between validated films and films of other people, and its threshold. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.unlike.contrast import Contrast

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

#: Added to the covariance along its diagonal, as a multiple of its mean variance.
SHRINKAGE = 0.3
#: Below it a feature's deviation counts as this much, so that one that never changes is no sign.
LEAST_DEVIATION = 1e-3


def fit_contrast(
    validated: Features, elsewhere: Features, sources: Sequence[str], shrinkage: float = SHRINKAGE
) -> Contrast:
    """Fit the difference of two Mahalanobis distances with one covariance, that of both.

    validated: (n, d). elsewhere: (m, d), films of other people. sources: where each of these comes
    from, (m,); a source counts by the root of its number, so that a large one does not decide
    alone. The intercept puts 0 half-way between the two means.
    """
    weights = source_weights(sources)
    mean, other = validated.mean(axis=0, dtype=np.float64), weights @ elsewhere.astype(np.float64)
    deviation = np.maximum(validated.std(axis=0, dtype=np.float64), LEAST_DEVIATION)
    within = (validated - mean) / deviation
    beyond = (elsewhere - other) / deviation
    covariance = (within.T @ within / len(within) + (beyond.T * weights) @ beyond) / 2
    round_one = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    direction = np.linalg.solve(covariance + shrinkage * round_one, (other - mean) / deviation)
    weights_of_features = (direction / deviation).astype(np.float32)
    middle = float(weights_of_features.astype(np.float64) @ (mean + other)) / 2
    return Contrast(weights_of_features, -middle)


def source_weights(sources: Sequence[str]) -> Array:
    """Weigh films so that each source counts by the root of its number; (m,), sum 1."""
    _, of_film, counts = np.unique(np.asarray(sources), return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[of_film].astype(np.float64))
    return np.asarray(weights / weights.sum())


def choose_threshold(contrasts: Iterable[Array], false_marks: float) -> float:
    """Choose the least threshold that marks at most this share of the films of any acquisition.

    contrasts: of validated films under each acquisition, (n,) each.
    """
    return max(_above_all_but(values, false_marks) for values in contrasts)


def without(values: Features, names: Sequence[str], name: str) -> tuple[Features, list[str]]:
    """Leave out the films of one name. values: (n, d). names: (n,)."""
    keep = np.asarray(names) != name
    return values[keep], [each for each in names if each != name]


def by_name(names: Sequence[str], values: Array) -> Mapping[str, Array]:
    """Group values, (n,), by the names of their films, (n,), in the order of names."""
    array = np.asarray(names)
    return {str(name): values[array == name] for name in np.unique(array)}


def _above_all_but(values: Array, share: float) -> float:
    """The least number that at most this share of the values reaches."""
    may_reach = int(share * len(values))
    return float(np.nextafter(np.sort(values)[::-1][may_reach], np.inf))
