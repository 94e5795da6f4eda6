"""Discrimination and calibration of labelled probabilities, with 95 % intervals. Pure."""

from collections.abc import Callable

import numpy as np

from readfirst.statistics.calibration import calibration_error
from readfirst.statistics.operating_points import Interval, LabelledProbabilities
from readfirst.statistics.shares import Z

#: Resamples of an interval that no formula gives.
RESAMPLES = 1000
#: Steps of a bisection; each halves the rest of the unit interval.
STEPS = 60


def area_under_curve(cases: LabelledProbabilities) -> Interval | None:
    """Give the area under the ROC curve; None without cases of both kinds.

    It is the share of pairs in which the sick case has the higher probability; of two alike, half a
    pair. The interval is the score interval of Newcombe (Statistics in Medicine 25, 2006, method
    5), which holds for few cases and for an area of 1.
    """
    if not cases.has_both:
        return None
    below = np.searchsorted(cases.healthy, cases.sick, side="left")
    not_above = np.searchsorted(cases.healthy, cases.sick, side="right")
    area = float((below + not_above).sum() / 2 / (len(cases.sick) * len(cases.healthy)))

    def is_near(other: float) -> bool:
        spread = Z * np.sqrt(_variance(other, len(cases.sick), len(cases.healthy)))
        return bool(abs(area - other) <= spread)

    return Interval(area, _last(area, 0.0, is_near), _last(area, 1.0, is_near))


def calibration_interval(cases: LabelledProbabilities) -> Interval | None:
    """Give the expected calibration error, with a bootstrap interval; None without cases."""
    probabilities = np.concatenate([cases.sick, cases.healthy])
    labels = np.repeat([1, 0], [len(cases.sick), len(cases.healthy)])
    if not len(labels):
        return None
    value = calibration_error(labels, probabilities)
    generator = np.random.default_rng(1)
    errors = [
        calibration_error(labels[drawn], probabilities[drawn])
        for drawn in generator.integers(len(labels), size=(RESAMPLES, len(labels)))
    ]
    low, high = np.quantile(errors, [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def _variance(area: float, sick: int, healthy: int) -> float:
    """Hanley and McNeil (Radiology 143, 1982), with the mean of both numbers in place of each."""
    mean = (sick + healthy) / 2 - 1
    pairs = 1 + mean * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * pairs / (sick * healthy)


def _last(inside: float, bound: float, holds: Callable[[float], bool]) -> float:
    """The value farthest from the inside, towards the bound, at which something still holds."""
    if holds(bound):
        return bound
    for _ in range(STEPS):
        middle = (inside + bound) / 2
        inside, bound = (middle, bound) if holds(middle) else (inside, middle)
    return inside
