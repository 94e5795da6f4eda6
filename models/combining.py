"""Members' probabilities in one: logits, their weighted mean, and Platt's scaling."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.manifest import PlattScaling

Probabilities = npt.NDArray[np.float64]
#: Probabilities are kept this far from 0 and 1, so that their logits are finite.
MARGIN = 1e-6


def logit(probabilities: npt.ArrayLike) -> Probabilities:
    """Return log(p / (1 - p)), with p kept within [1e-6, 1 - 1e-6]. Any shape."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), MARGIN, 1 - MARGIN)
    return np.log(p / (1 - p))


def sigmoid(logits: npt.ArrayLike) -> Probabilities:
    """Undo `logit`. Any shape."""
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))


def calibrated(logits: npt.ArrayLike, calibration: PlattScaling) -> Probabilities:
    """Logits under Platt's scaling, still as logits. Any shape."""
    return calibration.slope * np.asarray(logits, dtype=np.float64) + calibration.intercept


def combine(logits: npt.ArrayLike, weights: Sequence[float]) -> Probabilities:
    """Average the members' logits. logits: (members, n). weights: (members,), shares that sum to
    one. Returns (n,). The order of the members does not matter, as long as the weights follow it.
    """
    return np.average(np.asarray(logits, dtype=np.float64), axis=0, weights=weights)
