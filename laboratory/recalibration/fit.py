"""A calibration fitted to verdicts, cross-validated by patient; its figures before and after."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.metrics import area_under_curve, bootstrap, interval, probability_figures
from laboratory.evaluation.missing_cases import missing, missing_text
from laboratory.evaluation.patient_folds import patient_folds
from laboratory.evaluation.threshold_selection import calibrate
from models.combining import calibrated, logit, sigmoid
from models.manifest import ChangedFigure, Estimate, PlattScaling
from readfirst.errors import Misconfigured

Array = npt.NDArray[np.float64]
#: Fewest studies of each class: of fewer, two numbers fit what chance made of them.
LEAST_OF_EACH = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledStudies:
    """Studies with a verdict, (n,) each. labels: 1 is pneumonia.

    probabilities: as the ensemble gives them. stated: as they are stated at the site today.
    patients: whose they are.
    """

    labels: npt.NDArray[np.int64]
    probabilities: Array
    stated: Array
    patients: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCalibration:
    """A calibration of an ensemble's logits, and what it is worth.

    scaling: from those logits to others. prevalence: share of pneumonia among the studies.
    figures: `ece`, `brier` and `log_loss`, of probabilities as they are stated today, and as
    calibrations say that were fitted to other patients. auc: of both.
    """

    scaling: PlattScaling
    prevalence: float
    figures: Mapping[str, ChangedFigure]
    auc: Estimate

    @property
    def is_better(self) -> bool:
        """True if the log loss falls, and its whole interval does."""
        return self.figures["log_loss"].difference.high < 0


def fit_calibration(studies: LabelledStudies, seed: int = 0) -> FittedCalibration:
    """Fit Platt's scaling to all studies, and measure it on patients that it was not fitted to.

    Raises Misconfigured if there are too few studies or patients of a class, and if probabilities
    do not rise with the findings.
    """
    lacking = missing(studies.labels, LEAST_OF_EACH)
    if lacking:
        raise Misconfigured(
            f"A calibration needs verdicts on {LEAST_OF_EACH} studies of each class: "
            f"{missing_text(lacking)}."
        )
    logits = logit(studies.probabilities)
    scaling = calibrate(logits, studies.labels)
    if scaling.slope <= 0:
        raise Misconfigured(
            "The higher the probability, the less often readers found pneumonia: no calibration "
            "mends that. Compare the verdicts with the films first."
        )
    held_out = _cross_validated(logits, studies, seed)
    before, after = (
        probability_figures(studies.labels, probabilities)
        for probabilities in (studies.stated, held_out)
    )

    def measure(at: npt.NDArray[np.int64]) -> dict[str, float]:
        labels = studies.labels[at]
        of_before = probability_figures(labels, studies.stated[at])
        of_after = probability_figures(labels, held_out[at])
        figures = {f"before {name}": value for name, value in of_before.items()}
        figures |= {f"after {name}": value for name, value in of_after.items()}
        figures |= {name: of_after[name] - value for name, value in of_before.items()}
        return figures | {"auc": area_under_curve(labels == 1, studies.probabilities[at])}

    draws = bootstrap(studies.patients, studies.labels, measure, seed)

    def estimate(name: str, value: float) -> Estimate:
        return interval(value, [draw[name] for draw in draws])

    return FittedCalibration(
        scaling=scaling,
        prevalence=float(studies.labels.mean()),
        figures={
            name: ChangedFigure(
                before=estimate(f"before {name}", value),
                after=estimate(f"after {name}", after[name]),
                difference=estimate(name, after[name] - value),
            )
            for name, value in before.items()
        },
        auc=estimate("auc", area_under_curve(studies.labels == 1, studies.probabilities)),
    )


def _cross_validated(logits: Array, studies: LabelledStudies, seed: int) -> Array:
    """The probability of each study by a calibration that never saw its patient: (n,)."""
    held_out = np.zeros(len(logits))
    for others, fold in patient_folds(studies.labels, studies.patients, seed):
        scaling = calibrate(logits[others], studies.labels[others])
        held_out[fold] = sigmoid(calibrated(logits[fold], scaling))
    return held_out
