"""From the members' probabilities to one: logits averaged, calibrated, and given a threshold."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.manifest import Calibration

Probabilities = npt.NDArray[np.float64]
#: Probabilities are kept this far from 0 and 1, so that their logits are finite.
MARGIN = 1e-6


def logit(probabilities: npt.ArrayLike) -> Probabilities:
    """log(p / (1 - p)), with p kept within [1e-6, 1 - 1e-6]. Any shape."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), MARGIN, 1 - MARGIN)
    return np.log(p / (1 - p))


def sigmoid(logits: npt.ArrayLike) -> Probabilities:
    """The inverse of `logit`. Any shape."""
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))


def calibrated(logits: npt.ArrayLike, calibration: Calibration) -> Probabilities:
    """Logits under Platt's scaling, still as logits. Any shape."""
    return calibration.slope * np.asarray(logits, dtype=np.float64) + calibration.intercept


def combine(logits: npt.ArrayLike, weights: Sequence[float]) -> Probabilities:
    """The members' logits in one. logits: (members, n). weights: (members,) shares that sum to
    one. Returns (n,). The order of the members does not matter, as long as the weights follow it.
    """
    return np.average(np.asarray(logits, dtype=np.float64), axis=0, weights=weights)


def calibrate(
    logits: Probabilities, labels: np.ndarray, prevalence: float | None = None
) -> Calibration:
    """Fit Platt's scaling (Platt 1999) by maximum likelihood; regularised so little that it only
    keeps separable data from running away. logits, labels: (n,). prevalence: share of pneumonia
    that the films stand for; they are weighed to have it. None leaves them as they are.
    """
    from sklearn.linear_model import LogisticRegression

    found = float(labels.mean())
    wanted = found if prevalence is None else prevalence
    weights = np.where(labels == 1, wanted / found, (1 - wanted) / (1 - found))
    fitted = LogisticRegression(C=10.0).fit(logits[:, np.newaxis], labels, weights)
    return Calibration(slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]))


def robust_threshold(
    probabilities: Mapping[str, Probabilities],
    labels: np.ndarray,
    miss_cost: float,
) -> float:
    """The threshold whose cost is least where it is worst.

    probabilities: for each acquisition, (n,) of the same films. labels: (n,), 1 is pneumonia.
    miss_cost: how much a share of sick films missed weighs against the same share of false
    alarms. The cost of a threshold under one acquisition is miss_cost x (1 - sensitivity) +
    (1 - specificity), and the worst acquisition counts (minimax), since nobody knows which one a
    site resembles. Where many thresholds are equally good, the middle one in logits is taken.
    Raises ValueError unless both classes are there.
    """
    sick = [np.sort(logit(p[labels == 1])) for p in probabilities.values()]
    healthy = [np.sort(logit(p[labels == 0])) for p in probabilities.values()]
    if not len(sick[0]) or not len(healthy[0]):
        raise ValueError("a threshold needs films of both classes")
    values = np.unique(np.concatenate([*sick, *healthy]))
    # Between two values; a classifier that says the same of every film has one value only.
    candidates = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    cost = np.max(
        [
            miss_cost * np.searchsorted(s, candidates) / len(s)
            + 1
            - np.searchsorted(h, candidates) / len(h)
            for s, h in zip(sick, healthy, strict=True)
        ],
        axis=0,
    )
    best = candidates[np.isclose(cost, cost.min())]
    return float(sigmoid(best[len(best) // 2]))


def threshold_for(probabilities: Probabilities, labels: np.ndarray, sensitivity: float) -> float:
    """The highest threshold at which this share of the sick films is flagged.

    probabilities, labels: (n,). Raises ValueError if no film is sick or the sensitivity is not
    within (0, 1].
    """
    if not 0 < sensitivity <= 1:
        raise ValueError("a sensitivity lies within (0, 1]")
    ordered = np.sort(probabilities[labels == 1])[::-1]
    if not len(ordered):
        raise ValueError("no sick film")
    return float(ordered[int(np.ceil(sensitivity * len(ordered))) - 1])
