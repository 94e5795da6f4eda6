"""The numbers of a report: sweeps, curves and groups. Pure functions."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
from laboratory.evaluation.metrics import predictive_values
from readfirst.statistics.confusion import Confusion, confusion_at
from readfirst.statistics.shares import wilson_interval

Array = npt.NDArray[np.float64]
SWEEP = tuple(round(0.05 * step, 2) for step in range(1, 20))
#: The column of the curves of a training that is no series.
EPOCH = "epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdFigures:
    """A threshold of a sweep. ppv, npv: at the sweep's prevalence; None if nobody is flagged,
    or everybody.
    """

    threshold: float
    confusion: Confusion
    ppv: float | None
    npv: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Points (k,) of a curve, and the threshold (k,) at which each lies; infinite where nobody
    is flagged.
    """

    x: Array
    y: Array
    thresholds: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """The films of one group.

    right: the sensitivity of a group of pneumonias, the specificity of a group of normal films,
    with its interval (Wilson). auc: these films against all films of the other class.
    """

    group: str
    pneumonia: bool
    images: int
    patients: int
    flagged: int
    right: float
    low: float
    high: float
    auc: float

    @property
    def share_flagged(self) -> float:
        """Share of the group's films that is flagged."""
        return self.flagged / self.images


def sweep(
    labels: np.ndarray, probabilities: Array, operating_point: float, prevalence: float
) -> list[ThresholdFigures]:
    """Measure each threshold from 0.05 to 0.95, and the operating point; ascending."""
    rows = []
    for threshold in sorted({*SWEEP, operating_point}):
        confusion = confusion_at(labels, probabilities, threshold)
        ppv, npv = predictive_values(confusion.sensitivity, confusion.specificity, prevalence)
        rows.append(
            ThresholdFigures(
                threshold=threshold, confusion=confusion, ppv=_known(ppv), npv=_known(npv)
            )
        )
    return rows


def roc(labels: np.ndarray, probabilities: Array) -> Curve:
    """x: share of normal films flagged. y: sensitivity. From nobody flagged to everybody."""
    from sklearn.metrics import roc_curve

    x, y, thresholds = roc_curve(labels, probabilities)
    return Curve(x=x, y=y, thresholds=thresholds)


def precision_recall(labels: np.ndarray, probabilities: Array) -> Curve:
    """x: recall, which is sensitivity. y: precision among these films. From everybody flagged to
    nobody, where precision is taken to be 1.
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(
        labels, probabilities, drop_intermediate=True
    )
    return Curve(x=recall, y=precision, thresholds=np.append(thresholds, np.inf))


def average_precision(labels: np.ndarray, probabilities: Array) -> float:
    """The area under the steps of precision over recall."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(labels, probabilities))


def subgroups(model: EvaluatedModel) -> list[Subgroup]:
    """Each group apart: pneumonias first, then normal films, each by name."""
    sick = model.labels == 1
    return [
        _subgroup(model, group, pneumonia)
        for pneumonia in (True, False)
        for group in np.unique(model.groups[sick == pneumonia]).tolist()
    ]


def false_negatives(model: EvaluatedModel) -> list[int]:
    """Indices of the pneumonias that are passed, the least probable first."""
    missed = np.flatnonzero((model.labels == 1) & (model.probabilities < model.threshold))
    order = np.argsort(model.probabilities[missed], kind="stable")
    return [int(index) for index in missed[order]]


def false_positives(model: EvaluatedModel) -> list[int]:
    """Indices of the normal films that are flagged, the most probable first."""
    alarms = np.flatnonzero((model.labels == 0) & (model.probabilities >= model.threshold))
    order = np.argsort(-model.probabilities[alarms], kind="stable")
    return [int(index) for index in alarms[order]]


def _subgroup(model: EvaluatedModel, group: str, pneumonia: bool) -> Subgroup:
    from sklearn.metrics import roc_auc_score

    sick = model.labels == 1
    members = (model.groups == group) & (sick == pneumonia)
    images = int(members.sum())
    flagged = int(np.sum(model.probabilities[members] >= model.threshold))
    right = flagged if pneumonia else images - flagged
    low, high = wilson_interval(right, images)
    compared = members | (sick != pneumonia)
    return Subgroup(
        group=group,
        pneumonia=pneumonia,
        images=images,
        patients=len(np.unique(model.patients[members])),
        flagged=flagged,
        right=right / images,
        low=low,
        high=high,
        auc=float(roc_auc_score(model.labels[compared], model.probabilities[compared])),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
