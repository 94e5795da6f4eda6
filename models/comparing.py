"""Two models on the same films: how much better one is, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.evaluation import bootstrap, figures, interval
from models.manifest import Estimate

COMPARED = ("auc", "sensitivity", "specificity", "accuracy", "f1", "ece")


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two models. difference: the second less the first, with its 95 % interval."""

    figure: str
    first: float
    second: float
    difference: Estimate


def differences(
    labels: np.ndarray,
    probabilities: Sequence[Sequence[float]],
    thresholds: Sequence[float],
    patients: Sequence[str],
    *,
    seed: int = 0,
) -> list[Difference]:
    """Compare two models film by film, by a bootstrap over patients in which both are drawn alike.

    labels: (n,). probabilities: two of (n,). thresholds: of each. patients: (n,).
    """
    first, second = (np.asarray(said, dtype=np.float64) for said in probabilities)

    def measure(at: np.ndarray) -> dict[str, float]:
        one = figures(labels[at], first[at], thresholds[0], 0.5)
        other = figures(labels[at], second[at], thresholds[1], 0.5)
        return {name: other[name] - one[name] for name in COMPARED}

    draws = bootstrap(np.asarray(patients), labels, measure, seed)
    everything = np.arange(len(labels))
    one = figures(labels, first, thresholds[0], 0.5)
    other = figures(labels, second, thresholds[1], 0.5)
    point = measure(everything)
    return [
        Difference(
            name, one[name], other[name], interval(point[name], [draw[name] for draw in draws])
        )
        for name in COMPARED
    ]
