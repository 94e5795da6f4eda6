"""Quantiles of durations: the times within which half, 95 % and 99 % were done. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Durations:
    """done: how many were; open: how many were not yet. p50, p95, p99: seconds, of those done."""

    done: int
    open: int
    p50: float | None
    p95: float | None
    p99: float | None


def durations(seconds: Array) -> Durations:
    """Quantiles of (n,) seconds, between neighbours linearly; NaN for what is not done yet."""
    done = seconds[~np.isnan(seconds)]
    if not len(done):
        return Durations(0, len(seconds), None, None, None)
    p50, p95, p99 = (float(value) for value in np.quantile(done, [0.5, 0.95, 0.99]))
    return Durations(len(done), len(seconds) - len(done), p50, p95, p99)
