"""Stability: how far a distribution is from the expected one, and what chance alone does. Pure.

The population stability index of two shares a and e of each bin is the sum of (a - e) ln(a / e).
By custom (Siddiqi, Credit Risk Scorecards, 2006) it is called small below 0.1 and large from 0.25
on. Of few films it is large by chance: where nothing has changed it is distributed about as
(1/n + 1/m) times chi squared with one degree of freedom less than there are bins (Yurdakul and
Naranjo, Journal of Risk Model Validation 14, 2020), n and m being the films of both.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from readfirst.monitoring.reference import Expected, smoothed

#: Where nothing has changed, 99 of 100 indices lie below what is given for chance.
CHANCE = 0.99


class Judged(StrEnum):
    """What an index says."""

    TOO_FEW = "too_few"
    #: Compared with a mixture that the site has not stated yet.
    PREVALENCE_NOT_SET = "prevalence_not_set"
    #: Small, or no larger than chance makes it.
    STABLE = "stable"
    CHANGED = "changed"
    DRIFT = "drift"


def stability_index(expected: Expected, counts: Sequence[int] | npt.NDArray[np.int64]) -> float:
    """The population stability index of (bins,) counts; each is raised by a half, none is zero."""
    actual = smoothed(np.asarray(counts))
    return float(np.sum((actual - expected.shares) * np.log(actual / expected.shares)))


def by_chance(expected: Expected, films: int) -> float:
    """The index that so many films reach by chance in one of a hundred cases."""
    return _quantile(len(expected.shares) - 1) * (1 / films + 1 / expected.behind)


def judge(
    index: float, films: int, chance: float, *, least: int, notice: float, alarm: float
) -> Judged:
    """Judge an index: too few films are not judged, and what chance explains is no change."""
    if films < least:
        return Judged.TOO_FEW
    if index < notice or index <= chance:
        return Judged.STABLE
    return Judged.DRIFT if index >= alarm else Judged.CHANGED


@cache
def _quantile(degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(CHANCE, degrees))
