"""Two models on the same cases: the figures of both, and the paired difference. Pure.

Intervals are 95 %, of a percentile bootstrap that draws whole groups, as patients, with repetition,
and draws them alike for both models. Source: Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapters 13 and 16.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readfirst.statistics.calibration import BINS
from readfirst.statistics.operating_points import Interval

Array = npt.NDArray[np.float64]
DRAWS = 1000
#: Numbers that one step of the bootstrap holds at once, at most.
MOST_NUMBERS = 2_000_000
#: In the order in which they are given. The first three need cases of both kinds.
FIGURES = ("auc", "sensitivity", "specificity", "brier", "ece")


@dataclass(frozen=True, slots=True)
class PairedFigure:
    """A figure of two models. difference: the second less the first, drawn together.

    figure: `auc`, `sensitivity`, `specificity`, `brier` (mean squared error of the probability) or
    `ece` (expected calibration error); of the last two, less is better.
    """

    figure: str
    first: Interval
    second: Interval
    difference: Interval


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one model. probabilities: (n,), 0 to 1. flagged: (n,) bool."""

    probabilities: Array
    flagged: npt.NDArray[np.bool_]


def paired_figures(
    sick: npt.NDArray[np.bool_],
    first: Answers,
    second: Answers,
    groups: Sequence[object],
    *,
    seed: int = 0,
) -> list[PairedFigure]:
    """Measure two models on the same cases.

    sick: (n,) bool. groups: (n,), whose case it is. Figures that the cases do not have are left
    out: all without cases, and those of both kinds where one is missing.
    """
    cases = len(sick)
    if not cases:
        return []
    models = [_Model(sick, each) for each in (first, second)]
    whole = np.ones((1, cases))
    points = [model.figures(whole) for model in models]
    drawn: list[dict[str, list[Array]]] = [{name: [] for name in FIGURES} for _ in models]
    for weights in _draws(groups, np.random.default_rng(seed)):
        for kept, model in zip(drawn, models, strict=True):
            for name, values in model.figures(weights).items():
                kept[name].append(values)
    return [
        _paired(name, [point[name][0] for point in points], [kept[name] for kept in drawn])
        for name in FIGURES
        if not np.isnan(points[0][name][0])
    ]


def _paired(name: str, points: Sequence[float], drawn: Sequence[Sequence[Array]]) -> PairedFigure:
    first, second = (np.concatenate(values) for values in drawn)
    return PairedFigure(
        name,
        _interval(points[0], first),
        _interval(points[1], second),
        _interval(points[1] - points[0], second - first),
    )


def _interval(value: float, drawn: Array) -> Interval:
    """The middle 95 % of what was drawn; draws without cases of both kinds are left out."""
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (value, value)
    return Interval(float(value), float(low), float(high))


def _draws(groups: Sequence[object], generator: np.random.Generator) -> Iterator[Array]:
    """How often each case is drawn: (draws, cases), in parts that fit into memory."""
    numbers: dict[object, int] = {}
    group_of = np.array([numbers.setdefault(group, len(numbers)) for group in groups])
    most = max(1, MOST_NUMBERS // len(group_of))
    for begin in range(0, DRAWS, most):
        draws = min(most, DRAWS - begin)
        drawn = generator.integers(len(numbers), size=(draws, len(numbers)))
        times = np.stack([np.bincount(each, minlength=len(numbers)) for each in drawn])
        yield times.astype(np.float64)[:, group_of]


class _Model:
    """The answers of a model, sorted once; then measured with any weights of its cases."""

    def __init__(self, sick: npt.NDArray[np.bool_], answers: Answers) -> None:
        p, flagged = answers.probabilities, answers.flagged
        bin_of = np.minimum((p * BINS).astype(np.int64), BINS - 1)
        gaps = np.zeros((len(p), BINS))
        gaps[np.arange(len(p)), bin_of] = p - sick
        # Whatever is a sum over cases, as one product of matrices.
        sums = (np.ones(len(p)), sick, sick & flagged, ~sick & ~flagged, (p - sick) ** 2)
        self._sums = np.column_stack([*sums, gaps]).astype(np.float64)
        self._order = np.argsort(p, kind="stable")
        self._sick = sick[self._order]
        # Where the equal ones begin, among the sorted: they count half against each other.
        self._starts = np.flatnonzero(np.diff(p[self._order], prepend=-1))

    def figures(self, weights: Array) -> Mapping[str, Array]:
        """Measure. weights: (draws, cases). Returns (draws,) each; NaN where it has no cases."""
        all_of, sick, hits, passed, squares, *gaps = (weights @ self._sums).T
        both = (sick > 0) & (sick < all_of)

        def ratio(part: Array, of: Array) -> Array:
            return np.where(both, part / np.where(both, of, 1.0), np.nan)

        return {
            "auc": ratio(self._pairs(weights), sick * (all_of - sick)),
            "sensitivity": ratio(hits, sick),
            "specificity": ratio(passed, all_of - sick),
            "brier": squares / all_of,
            "ece": np.sum(np.abs(gaps), axis=0) / all_of,
        }

    def _pairs(self, weights: Array) -> Array:
        """Pairs of a sick and a healthy case in the right order; ties count half."""
        ordered = weights[:, self._order]
        ill, well = ordered * self._sick, ordered * ~self._sick
        if len(self._starts) < len(self._sick):
            ill = np.add.reduceat(ill, self._starts, axis=1)
            well = np.add.reduceat(well, self._starts, axis=1)
        below = np.cumsum(well, axis=1)
        below -= well / 2
        pairs: Array = np.einsum("ij,ij->i", ill, below)
        return pairs
