"""A calibration fitted to verdicts, cross-validated by patient; its figures before and after."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.metrics import area_under_curve, bootstrap, interval
from laboratory.evaluation.threshold_selection import calibrate
from models.combining import calibrated, logit, sigmoid
from models.manifest import ChangedFigure, Estimate, PlattScaling
from readfirst.errors import Misconfigured
from readfirst.statistics.calibration import calibration_error

Array = npt.NDArray[np.float64]
#: Fewest studies of each class: of fewer, two numbers fit what chance made of them.
LEAST_OF_EACH = 50
FOLDS = 5


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


def missing(labels: npt.NDArray[np.int64]) -> dict[str, int]:
    """The number of studies that each class lacks for a calibration; empty if none does."""
    present = {"pneumonia": int(labels.sum()), "no pneumonia": int((labels == 0).sum())}
    return {name: LEAST_OF_EACH - count for name, count in present.items() if count < LEAST_OF_EACH}


def fit_calibration(studies: LabelledStudies, seed: int = 0) -> FittedCalibration:
    """Fit Platt's scaling to all studies, and measure it on patients that it was not fitted to.

    Raises Misconfigured if there are too few studies or patients of a class, and if probabilities
    do not rise with the findings.
    """
    lacking = missing(studies.labels)
    if lacking:
        words = " and ".join(f"{count} more of {name}" for name, count in lacking.items())
        raise Misconfigured(
            f"A calibration needs verdicts on {LEAST_OF_EACH} studies of each class: {words}."
        )
    logits = logit(studies.probabilities)
    scaling = calibrate(logits, studies.labels)
    if scaling.slope <= 0:
        raise Misconfigured(
            "The higher the probability, the less often readers found pneumonia: no calibration "
            "mends that. Compare the verdicts with the films first."
        )
    held_out = _cross_validated(logits, studies, seed)
    before, after = _figures(studies, studies.stated), _figures(studies, held_out)

    def measure(at: npt.NDArray[np.int64]) -> dict[str, float]:
        drawn = LabelledStudies(
            labels=studies.labels[at],
            probabilities=studies.probabilities[at],
            stated=studies.stated[at],
            patients=studies.patients[at],
        )
        of_before, of_after = _figures(drawn, drawn.stated), _figures(drawn, held_out[at])
        figures = {f"before {name}": value for name, value in of_before.items()}
        figures |= {f"after {name}": value for name, value in of_after.items()}
        figures |= {name: of_after[name] - value for name, value in of_before.items()}
        return figures | {"auc": area_under_curve(drawn.labels == 1, drawn.probabilities)}

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
    from sklearn.model_selection import StratifiedGroupKFold

    for label, name in ((1, "pneumonia"), (0, "no pneumonia")):
        patients = len(np.unique(studies.patients[studies.labels == label]))
        if patients < FOLDS:
            raise Misconfigured(
                f"Verdicts of {name} are of {patients} patients: a cross-validation needs {FOLDS}."
            )
    held_out = np.zeros(len(logits))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for others, fold in folds.split(logits, studies.labels, studies.patients):
        if len(np.unique(studies.labels[others])) < 2:
            raise Misconfigured("Too few patients have most of the verdicts of a class.")
        scaling = calibrate(logits[others], studies.labels[others])
        held_out[fold] = sigmoid(calibrated(logits[fold], scaling))
    return held_out


def _figures(studies: LabelledStudies, probabilities: Array) -> dict[str, float]:
    labels = studies.labels
    # As far from 0 and 1 as logits are.
    likely = sigmoid(logit(probabilities))
    loss = -np.where(labels == 1, np.log(likely), np.log1p(-likely))
    return {
        "ece": calibration_error(labels, probabilities),
        # Brier 1950, for two classes: the mean squared error of the probability.
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "log_loss": float(loss.mean()),
    }
