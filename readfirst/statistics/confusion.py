"""Flags against what films or studies show: the table of both, its shares, and kappa. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readfirst.statistics.shares import Share, share

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Numbers of cases by flag and truth; positive means flagged.

    The figures below are of these cases. Sensitivity needs a sick case and specificity a healthy
    one; without it they raise ZeroDivisionError. See `measures` for shares with intervals.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def cases(self) -> int:
        """Number of all cases."""
        return self.flagged + self.false_negatives + self.true_negatives

    @property
    def flagged(self) -> int:
        """Number of flagged cases."""
        return self.true_positives + self.false_positives

    @property
    def sick(self) -> int:
        """Number of sick cases."""
        return self.true_positives + self.false_negatives

    @property
    def right(self) -> int:
        """Number of cases whose flag is right."""
        return self.true_positives + self.true_negatives

    @property
    def sensitivity(self) -> float:
        """Share of the sick cases that is flagged."""
        return self.true_positives / self.sick

    @property
    def specificity(self) -> float:
        """Share of the healthy cases that is not flagged."""
        return self.true_negatives / (self.true_negatives + self.false_positives)

    @property
    def accuracy(self) -> float:
        """Share of all cases whose flag is right."""
        return self.right / self.cases

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        hits = 2 * self.true_positives
        return hits / (hits + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """Share of the flagged cases that is sick; NaN if none is flagged."""
        return self.true_positives / self.flagged if self.flagged else math.nan


def confusion_of(flagged: npt.NDArray[np.bool_], sick: npt.NDArray[np.bool_]) -> Confusion:
    """Count cases by flag and truth. flagged, sick: (n,) bool."""
    return Confusion(
        true_positives=int(np.count_nonzero(flagged & sick)),
        false_negatives=int(np.count_nonzero(~flagged & sick)),
        false_positives=int(np.count_nonzero(flagged & ~sick)),
        true_negatives=int(np.count_nonzero(~flagged & ~sick)),
    )


def confusion_at(labels: np.ndarray, probabilities: Array, threshold: float) -> Confusion:
    """Count cases; those at or above the threshold are flagged.

    labels: (n,), 1 is sick. probabilities: (n,), 0 to 1.
    """
    return confusion_of(probabilities >= threshold, labels == 1)


def measures(counts: Confusion) -> dict[str, Share]:
    """Give PPV, NPV, sensitivity, specificity and agreement, each with its interval."""
    healthy = counts.cases - counts.sick
    return {
        "ppv": share(counts.true_positives, counts.flagged),
        "npv": share(counts.true_negatives, counts.cases - counts.flagged),
        "sensitivity": share(counts.true_positives, counts.sick),
        "specificity": share(counts.true_negatives, healthy),
        "agreement": share(counts.right, counts.cases),
    }


def kappa(counts: Confusion) -> float | None:
    """Give the agreement beyond chance, -1 to 1; None where flags or truths are all of one kind.

    Source: Cohen, Educational and Psychological Measurement 20, 1960.
    """
    one_kind = (0, counts.cases)
    if counts.flagged in one_kind or counts.sick in one_kind:
        return None
    from sklearn.metrics import cohen_kappa_score

    cells = (
        counts.true_positives,
        counts.false_positives,
        counts.false_negatives,
        counts.true_negatives,
    )
    return float(cohen_kappa_score([1, 1, 0, 0], [1, 0, 1, 0], sample_weight=cells))
