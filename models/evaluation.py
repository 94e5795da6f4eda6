"""How good a classifier is, with intervals: pure functions of labels, probabilities, patients."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from models.manifest import Estimate, Metrics

Array = npt.NDArray[np.float64]
RESAMPLES = 1000
#: Prevalence at which predictive values are stated, unless said otherwise.
PREVALENCE = 0.2
ECE_BINS = 10
#: The 97.5th percentile of the standard normal distribution: intervals of 95 %.
Z = 1.959963984540054


def evaluate(
    labels: np.ndarray,
    probabilities: Array,
    patients: np.ndarray,
    threshold: float,
    *,
    prevalence: float = PREVALENCE,
    seed: int = 0,
) -> Metrics:
    """Every figure with its 95 % interval, from a percentile bootstrap over patients.

    labels: (n,), 1 is pneumonia. probabilities: (n,). patients: (n,), whose film it is; whole
    patients are drawn, since films of one patient are alike. Raises ValueError unless both
    classes are there.
    """
    if len(np.unique(labels)) != 2:
        raise ValueError("an evaluation needs films of both classes")
    point = figures(labels, probabilities, threshold, prevalence)
    draws = bootstrap(
        patients,
        labels,
        lambda at: figures(labels[at], probabilities[at], threshold, prevalence),
        seed,
    )
    estimates = {
        name: None if math.isnan(value) else interval(value, [draw[name] for draw in draws])
        for name, value in point.items()
    }
    return Metrics(
        images=len(labels),
        patients=len(np.unique(patients)),
        pneumonia=int(labels.sum()),
        prevalence=prevalence,
        **estimates,
    )


def figures(
    labels: np.ndarray, probabilities: Array, threshold: float, prevalence: float
) -> dict[str, float]:
    """The figures by name, without intervals. Both classes must be there."""
    from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

    flagged = probabilities >= threshold
    sensitivity = float(recall_score(labels, flagged))
    specificity = float(recall_score(labels, flagged, pos_label=0))
    ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": float(accuracy_score(labels, flagged)),
        "f1": float(f1_score(labels, flagged)),
        "ppv": ppv,
        "npv": npv,
        "ece": calibration_error(labels, probabilities),
    }


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> tuple[float, float]:
    """PPV and NPV at a prevalence, by Bayes; NaN where nobody would be flagged, or everybody."""
    true_positive = sensitivity * prevalence
    false_positive = (1 - specificity) * (1 - prevalence)
    true_negative = specificity * (1 - prevalence)
    false_negative = (1 - sensitivity) * prevalence
    flagged, passed = true_positive + false_positive, true_negative + false_negative
    return (
        true_positive / flagged if flagged else float("nan"),
        true_negative / passed if passed else float("nan"),
    )


def calibration_error(labels: np.ndarray, probabilities: Array, bins: int = ECE_BINS) -> float:
    """Expected calibration error (Guo et al. 2017) over bins of equal width."""
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        abs(probabilities[bin_of == b].mean() - labels[bin_of == b].mean())
        * float(np.mean(bin_of == b))
        for b in np.unique(bin_of)
    ]
    return float(np.sum(gaps))


def interval(value: float, drawn: list[float]) -> Estimate:
    """A figure with the 95 % interval of what a bootstrap drew; NaNs there are left out."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def wilson(hits: int, of: int) -> Estimate:
    """A share with its 95 % interval (Wilson 1927). Raises ValueError if there are no cases."""
    if of < 1:
        raise ValueError("no share of nothing")
    share, weight = hits / of, Z**2 / of
    middle = share + weight / 2
    reach = Z * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    low, high = (middle - reach) / (1 + weight), (middle + reach) / (1 + weight)
    return Estimate(value=share, low=low if hits else 0.0, high=high if hits < of else 1.0)


def bootstrap(
    patients: np.ndarray,
    labels: np.ndarray,
    measure: Callable[[np.ndarray], Mapping[str, float]],
    seed: int,
) -> list[Mapping[str, float]]:
    """Measure again and again on patients drawn with repetition, where both classes are there.

    patients, labels: (n,). measure: from the indices of the films drawn to figures by name.
    """
    generator = np.random.default_rng(seed)
    _, patient_of = np.unique(patients, return_inverse=True)
    images_of = [np.flatnonzero(patient_of == p) for p in range(patient_of.max() + 1)]
    draws: list[Mapping[str, float]] = []
    while len(draws) < RESAMPLES:
        drawn = generator.integers(len(images_of), size=len(images_of))
        at = np.concatenate([images_of[p] for p in drawn])
        if len(np.unique(labels[at])) == 2:
            draws.append(measure(at))
    return draws
