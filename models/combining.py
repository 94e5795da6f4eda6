"""From the members' probabilities to one: logits averaged, calibrated, and given a threshold."""

from collections.abc import Sequence

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


def combine(
    members: npt.ArrayLike, weights: Sequence[float], calibration: Calibration
) -> Probabilities:
    """One calibrated probability for each image.

    members: (members, n) probabilities. weights: (members,) shares that sum to one.
    Returns (n,). The order of the members does not matter, as long as the weights follow it.
    """
    mean = np.average(logit(members), axis=0, weights=weights)
    return sigmoid(calibration.slope * mean + calibration.intercept)


def calibrate(logits: Probabilities, labels: np.ndarray) -> Calibration:
    """Fit Platt's scaling (Platt 1999) by maximum likelihood; regularised so little that it only
    keeps separable data from running away. logits, labels: (n,).
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=10.0).fit(logits[:, np.newaxis], labels)
    return Calibration(slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]))


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
