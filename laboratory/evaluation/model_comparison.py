"""Comparison of two models on the same films: how much better one is, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from laboratory.evaluation.metrics import bootstrap, figures, interval
from models.manifest import Estimate

COMPARED = ("auc", "sensitivity", "specificity", "accuracy", "f1", "ece")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two models. difference: the second less the first, with its 95 % interval."""

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
    first, second = (np.asarray(values, dtype=np.float64) for values in probabilities)

    def both(at: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
        return (
            figures(labels[at], first[at], thresholds[0], 0.5),
            figures(labels[at], second[at], thresholds[1], 0.5),
        )

    def measure(at: np.ndarray) -> dict[str, float]:
        of_first, of_second = both(at)
        return {name: of_second[name] - of_first[name] for name in COMPARED}

    draws = bootstrap(np.asarray(patients), labels, measure, seed)
    of_first, of_second = both(np.arange(len(labels)))
    return [
        Difference(
            name,
            of_first[name],
            of_second[name],
            interval(of_second[name] - of_first[name], [draw[name] for draw in draws]),
        )
        for name in COMPARED
    ]
