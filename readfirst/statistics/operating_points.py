"""Thresholds chosen from the probabilities of sick and healthy cases, and their figures. Pure.

A case is flagged if its probability reaches the threshold. Thresholds are looked for between the
probabilities of cases, so that none lies on a case.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readfirst.statistics.confusion import Confusion
from readfirst.statistics.shares import Z

Array = npt.NDArray[np.float64]
#: Nearest to 0 and 1 that a threshold comes.
LEAST, MOST = 1e-6, 1 - 1e-6


@dataclass(frozen=True, slots=True)
class LabelledProbabilities:
    """Probabilities of cases, 0 to 1, by what they turned out to be: (n,) and (m,), sorted."""

    sick: Array
    healthy: Array

    @property
    def has_both(self) -> bool:
        """True if there are cases of both kinds."""
        return len(self.sick) > 0 and len(self.healthy) > 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def labelled(
    sick: Sequence[float] | Array, healthy: Sequence[float] | Array
) -> LabelledProbabilities:
    """Sort the probabilities of sick and of healthy cases."""
    return LabelledProbabilities(
        np.sort(np.asarray(sick, dtype=np.float64)), np.sort(np.asarray(healthy, dtype=np.float64))
    )


def spread_over_bins(edges: Sequence[float], counts: Sequence[int]) -> Array:
    """Give the values of a histogram of probabilities, each bin's spread evenly over its logits.

    edges: between the bins, so one fewer than there are. Figures at an edge are exact; between two,
    they are an estimate. Probabilities themselves crowd at 0 and 1: half of a wide bin would be
    taken for lower than it is.
    """
    least = min(LEAST, edges[0] / 2) if edges else LEAST
    most = max(MOST, (1 + edges[-1]) / 2) if edges else MOST
    bounds = np.array([least, *edges, most], dtype=np.float64)
    logits = np.log(bounds / (1 - bounds))
    bins = []
    for number, count in enumerate(counts):
        shares = (np.arange(count) + 0.5) / max(count, 1)
        inside = logits[number] + (logits[number + 1] - logits[number]) * shares
        # Rounding must not put one at the edge of the next bin.
        highest = np.nextafter(bounds[number + 1], 0)
        bins.append(np.clip(1 / (1 + np.exp(-inside)), bounds[number], highest))
    return np.concatenate(bins)


def confusion_from(cases: LabelledProbabilities, threshold: float) -> Confusion:
    """Count cases by flag and truth at a threshold."""
    missed = int(np.searchsorted(cases.sick, threshold))
    passed = int(np.searchsorted(cases.healthy, threshold))
    return Confusion(
        true_positives=len(cases.sick) - missed,
        false_negatives=missed,
        false_positives=len(cases.healthy) - passed,
        true_negatives=passed,
    )


def candidates(cases: LabelledProbabilities) -> Array:
    """Give the thresholds that tell the cases apart in different ways, ascending; at least one.

    They lie half-way between neighbours, in logits; the outermost flag every case, and none, as far
    as their probabilities lie within (0, 1).
    """
    values = np.unique(np.clip(np.concatenate([cases.sick, cases.healthy]), LEAST, MOST))
    logits = np.log(values / (1 - values))
    middles = 1 / (1 + np.exp(-(logits[1:] + logits[:-1]) / 2))
    # Rounding must not put one on a case, or two cases on one side.
    middles = np.clip(middles, np.nextafter(values[:-1], 1), values[1:])
    ends = ([values[0] / 2], [(1 + values[-1]) / 2]) if len(values) else ([0.5], [])
    return np.concatenate([ends[0], middles, ends[1]])


def by_sensitivity(cases: LabelledProbabilities, least: float) -> float:
    """Give the highest threshold that flags at least this share of the sick cases.

    Raises ValueError if no case is sick, or the share is not within (0, 1].
    """
    _check(least, cases.sick)
    thresholds = candidates(cases)
    missed = np.searchsorted(cases.sick, thresholds)
    enough = thresholds[(len(cases.sick) - missed) >= _at_least(least, len(cases.sick))]
    return float(enough[-1] if len(enough) else thresholds[0])


def by_specificity(cases: LabelledProbabilities, least: float) -> float:
    """Give the lowest threshold that leaves at least this share of the healthy cases unflagged.

    Raises ValueError if no case is healthy, or the share is not within (0, 1].
    """
    _check(least, cases.healthy)
    thresholds = candidates(cases)
    passed = np.searchsorted(cases.healthy, thresholds)
    enough = thresholds[passed >= _at_least(least, len(cases.healthy))]
    return float(enough[0] if len(enough) else thresholds[-1])


def by_miss_cost(cases: LabelledProbabilities, miss_cost: float, prevalence: float) -> float:
    """Give the threshold of the least cost; of many that cost the same, the middle one.

    miss_cost: false alarms that one missed sick case weighs. prevalence: share of sick cases where
    it will be used. The cost of a film is prevalence x miss_cost x (1 - sensitivity) +
    (1 - prevalence) x (1 - specificity). Raises ValueError without cases of both kinds, or for
    numbers out of range.
    """
    if not cases.has_both:
        raise ValueError("cases of both kinds are needed")
    if not (0 < prevalence < 1 and miss_cost > 0):
        raise ValueError("a prevalence lies within (0, 1), and a miss costs something")
    thresholds = candidates(cases)
    missed = np.searchsorted(cases.sick, thresholds) / len(cases.sick)
    alarms = 1 - np.searchsorted(cases.healthy, thresholds) / len(cases.healthy)
    cost = prevalence * miss_cost * missed + (1 - prevalence) * alarms
    best = thresholds[np.isclose(cost, cost.min(), rtol=0, atol=1e-12)]
    return float(best[len(best) // 2])


def ppv_at(counts: Confusion, prevalence: float) -> Interval | None:
    """Give the PPV where this share of the cases is sick, by Bayes; None if nothing is flagged.

    The interval is that of the positive likelihood ratio in logits (Mercaldo, Lau, Zhou, Statistics
    in Medicine 26, 2007); a half is added to each number where one is 0.
    """
    healthy = counts.false_positives + counts.true_negatives
    if not counts.flagged or not counts.sick or not healthy:
        return None
    numbers = (
        counts.true_positives,
        counts.false_negatives,
        counts.false_positives,
        counts.true_negatives,
    )
    tp, fn, fp, tn = (number + (0.5 if 0 in numbers else 0.0) for number in numbers)
    prior = math.log(prevalence / (1 - prevalence))
    middle = prior + math.log(tp / (tp + fn)) - math.log(fp / (fp + tn))
    half = Z * math.sqrt(fn / (tp * (tp + fn)) + tn / (fp * (fp + tn)))
    low, value, high = (1 / (1 + math.exp(-x)) for x in (middle - half, middle, middle + half))
    return Interval(value, low, high)


def _at_least(share: float, of: int) -> int:
    """The number of cases that is this share of them, or a little more."""
    return math.ceil(share * of - 1e-9)


def _check(least: float, values: Array) -> None:
    if not 0 < least <= 1:
        raise ValueError("a share lies within (0, 1]")
    if not len(values):
        raise ValueError("no cases to choose from")
