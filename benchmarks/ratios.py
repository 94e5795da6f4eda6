"""Figures that are claimed of timings: medians with quartiles, and ratios within rounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def text(self, form: str = "{:.3g}") -> str:
        """The median, with its quartiles if they differ."""
        low, median, high = (form.format(v) for v in (self.low, self.median, self.high))
        return median if low == high else f"{median} ({low}–{high})"


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles."""
    low, median, high = np.percentile(values, (25, 50, 75))
    return Spread(float(median), float(low), float(high))


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """The ratios, paired within the rounds; a slow task may have fewer of them."""
    return spread([a / b for a, b in zip(numerators, denominators, strict=False)])
