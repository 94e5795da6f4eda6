"""Whether films of a stated probability turn out so often to be sick, by verdicts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readfirst.watching.shares import Share, share

Array = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Studies whose probability lies from one bound to the other, the upper one left out.

    stated: their mean probability; None where there is none. observed: how many of them are sick.
    """

    lower: float
    upper: float
    stated: float | None
    observed: Share


def reliability(probabilities: Array, sick: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins, of equal width, empty ones too. probabilities, sick: (n,)."""
    bin_of = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return tuple(_bin(b, probabilities[bin_of == b], sick[bin_of == b]) for b in range(BINS))


def _bin(number: int, probabilities: Array, sick: npt.NDArray[np.bool_]) -> Bin:
    stated = float(probabilities.mean()) if len(probabilities) else None
    observed = share(int(sick.sum()), len(sick))
    return Bin(number / BINS, (number + 1) / BINS, stated, observed)


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error (Guo et al. 2017); None where no bin holds a study."""
    studies = sum(each.observed.of for each in bins)
    gaps = [
        abs(each.stated - each.observed.value) * each.observed.of
        for each in bins
        if each.stated is not None and each.observed.value is not None
    ]
    return sum(gaps) / studies if studies else None
