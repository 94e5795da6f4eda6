"""Metrics of a classifier, with intervals: pure functions of labels, probabilities, patients."""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.combining import logit, sigmoid
from models.manifest import Estimate, Metrics
from readfirst.statistics.calibration import calibration_error
from readfirst.statistics.confusion import confusion_at
from readfirst.studies.prevalence import all_at_prevalence

Array = npt.NDArray[np.float64]
Measured = TypeVar("Measured")
RESAMPLES = 1000
#: Prevalence at which predictive values are stated, unless said otherwise.
PREVALENCE = 0.2


def evaluate(
    labels: np.ndarray,
    probabilities: Array,
    patients: np.ndarray,
    threshold: float,
    *,
    prevalence: float = PREVALENCE,
    presupposed: float | None = None,
    seed: int = 0,
) -> Metrics:
    """Measure every figure with its 95 % interval, from a percentile bootstrap over patients.

    labels: (n,), 1 is pneumonia. probabilities: (n,). patients: (n,), whose film it is; whole
    patients are drawn, since films of one patient are alike. presupposed: share of pneumonia that
    the probabilities presuppose, if it is known. Raises ValueError unless both
    classes are there.
    """
    if len(np.unique(labels)) != 2:
        raise ValueError("an evaluation needs films of both classes")
    point = figures(labels, probabilities, threshold, prevalence, presupposed)
    draws = bootstrap(
        patients,
        labels,
        lambda at: figures(labels[at], probabilities[at], threshold, prevalence, presupposed),
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
    labels: np.ndarray,
    probabilities: Array,
    threshold: float,
    prevalence: float,
    presupposed: float | None = None,
) -> dict[str, float]:
    """Measure the figures by name, without intervals. Both classes must be there.

    ece: of the probabilities as they are. ece_at_own_prevalence: restated for the share of
    pneumonia among these films, which no collection of films has by nature; NaN where nobody knows
    what the probabilities presuppose.
    Not by scikit-learn: a bootstrap asks a thousand times, and it checks its arguments anew for
    each figure, which took a hundred times as long.
    """
    counts = confusion_at(labels, probabilities, threshold)
    ppv, npv = predictive_values(counts.sensitivity, counts.specificity, prevalence)
    return {
        "auc": area_under_curve(labels == 1, probabilities),
        "sensitivity": counts.sensitivity,
        "specificity": counts.specificity,
        "accuracy": counts.accuracy,
        "f1": counts.f1,
        "ppv": ppv,
        "npv": npv,
        "ece": calibration_error(labels, probabilities),
        "ece_at_own_prevalence": float("nan")
        if presupposed is None
        else calibration_error(
            labels, all_at_prevalence(probabilities, presupposed, float(labels.mean()))
        ),
    }


def probability_figures(labels: np.ndarray, probabilities: Array) -> dict[str, float]:
    """Measure how right probabilities are: `ece`, `brier` and `log_loss`. labels, they: (n,)."""
    return {
        "ece": calibration_error(labels, probabilities),
        # Brier 1950, for two classes: the mean squared error of the probability.
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "log_loss": float(log_losses(labels, probabilities).mean()),
    }


def log_losses(labels: np.ndarray, probabilities: Array) -> Array:
    """Give -log of the probability of what each film shows, (n,); as far from 0 as logits are."""
    likely = sigmoid(logit(probabilities))
    return np.asarray(-np.where(labels == 1, np.log(likely), np.log1p(-likely)))


def area_under_curve(sick: npt.NDArray[np.bool_], probabilities: Array) -> float:
    """Area under the ROC curve: how often a sick film is above a healthy one; ties count half."""
    ill, well = np.sort(probabilities[sick]), np.sort(probabilities[~sick])
    # Mann and Whitney 1947: for each sick film the healthy ones below it, and those up to it.
    below, up_to = (np.searchsorted(well, ill, side).sum() for side in ("left", "right"))
    return float((below + up_to) / (2 * len(ill) * len(well)))


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


def interval(value: float, drawn: list[float]) -> Estimate:
    """Return a figure with the 95 % interval of what a bootstrap drew; NaNs there are left out."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def bootstrap(
    patients: np.ndarray,
    labels: np.ndarray,
    measure: Callable[[np.ndarray], Measured],
    seed: int,
) -> list[Measured]:
    """Measure again and again on patients drawn with repetition, where both classes are there.

    patients, labels: (n,). measure: from the indices of the films drawn to their figures.
    """
    generator = np.random.default_rng(seed)
    _, patient_of = np.unique(patients, return_inverse=True)
    images_of = [np.flatnonzero(patient_of == p) for p in range(patient_of.max() + 1)]
    draws: list[Measured] = []
    while len(draws) < RESAMPLES:
        drawn = generator.integers(len(images_of), size=len(images_of))
        at = np.concatenate([images_of[p] for p in drawn])
        if labels[at].min() < labels[at].max():
            draws.append(measure(at))
    return draws
