"""Stated probabilities against how often it turns out so. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readfirst.statistics.shares import Share, share

Array = npt.NDArray[np.float64]
#: Bins of equal width from 0 to 1.
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases whose probability lies from one bound to the other, the upper one left out.

    The last bin holds 1 too. stated: their mean probability; None for an empty bin. observed:
    how many of them are sick.
    """

    lower: float
    upper: float
    stated: float | None
    observed: Share

    @property
    def count(self) -> int:
        """Number of cases in the bin."""
        return self.observed.of


def reliability(labels: np.ndarray, probabilities: Array, bins: int = BINS) -> tuple[Bin, ...]:
    """Put cases into bins of equal width; empty bins are given too.

    labels: (n,), 1 or True is sick. probabilities: (n,), 0 to 1. These are the bins of the
    expected calibration error.
    """
    bin_of = _bin_of(probabilities, bins)
    return tuple(
        _bin(b / bins, (b + 1) / bins, labels[bin_of == b], probabilities[bin_of == b])
        for b in range(bins)
    )


def calibration_error(labels: np.ndarray, probabilities: Array, bins: int = BINS) -> float:
    """Give the expected calibration error over bins of equal width, 0 to 1.

    labels: (n,), 1 or True is sick. probabilities: (n,), 0 to 1. Source: Guo et al., On
    Calibration of Modern Neural Networks, ICML 2017. Raises ValueError if there are no cases.
    """
    if not len(labels):
        raise ValueError("no calibration error of nothing")
    bin_of = _bin_of(probabilities, bins)
    gaps = np.bincount(bin_of, probabilities, bins) - np.bincount(bin_of, labels, bins)
    return float(np.sum(np.abs(gaps)) / len(labels))


def _bin_of(probabilities: Array, bins: int) -> npt.NDArray[np.int64]:
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def _bin(lower: float, upper: float, labels: np.ndarray, probabilities: Array) -> Bin:
    stated = float(probabilities.mean()) if len(probabilities) else None
    sick = int(np.sum(labels))
    return Bin(lower=lower, upper=upper, stated=stated, observed=share(sick, len(labels)))
