"""The numbers of a report: sweeps, curves, bins and groups. Pure functions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.evaluation import ECE_BINS, predictive_values, wilson
from models.manifest import Metrics

Array = npt.NDArray[np.float64]
SWEPT = tuple(round(0.05 * step, 2) for step in range(1, 20))
#: What is no series in the curves of a training.
EPOCH = "epoch"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A model's answers on labelled films of both classes.

    labels: (n,) int, 1 is pneumonia. probabilities: (n,) float64. patients, groups: (n,) str.
    metrics: from `models.evaluation.evaluate`, at the threshold. curves: of each member, figure
    (`loss`, `auc`, `val_loss`, `val_auc`, ...) → its value after each epoch.
    """

    name: str
    threshold: float
    labels: np.ndarray
    probabilities: Array
    patients: np.ndarray
    groups: np.ndarray
    paths: tuple[Path, ...]
    metrics: Metrics
    curves: Mapping[str, Mapping[str, Sequence[float]]]

    def __post_init__(self) -> None:
        lengths = {
            len(column)
            for column in (
                self.labels,
                self.probabilities,
                self.patients,
                self.groups,
                self.paths,
            )
        }
        if len(lengths) != 1:
            raise ValueError(f"{self.name}: labels, answers and films differ in number")
        if len(np.unique(self.labels)) != 2:
            raise ValueError(f"{self.name}: a report needs films of both classes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How many films fell where at a threshold. Both classes must be there."""

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def sensitivity(self) -> float:
        """Share of the sick films that is flagged."""
        return self.true_positives / (self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """Share of the normal films that is passed."""
        return self.true_negatives / (self.true_negatives + self.false_positives)

    @property
    def accuracy(self) -> float:
        """Share of all films that is right."""
        wrong = self.false_positives + self.false_negatives
        right = self.true_positives + self.true_negatives
        return right / (right + wrong)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        hits = 2 * self.true_positives
        return hits / (hits + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """Share of the flagged films that is sick, among these films; NaN if none is flagged."""
        flagged = self.true_positives + self.false_positives
        return self.true_positives / flagged if flagged else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """One threshold of a sweep. ppv, npv: at the sweep's prevalence; None if nobody is flagged,
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
class Bin:
    """Films whose probabilities lie between two bounds.

    low, high: the interval of the observed share of pneumonia (Wilson). All but bounds and count
    are None for an empty bin.
    """

    start: float
    end: float
    count: int
    mean_probability: float | None
    observed: float | None
    low: float | None
    high: float | None


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


def confusion_at(labels: np.ndarray, probabilities: Array, threshold: float) -> Confusion:
    """Count the films; those at or above the threshold are flagged. labels, probabilities: (n,)."""
    flagged, sick = probabilities >= threshold, labels == 1
    return Confusion(
        true_positives=int(np.sum(flagged & sick)),
        false_negatives=int(np.sum(~flagged & sick)),
        false_positives=int(np.sum(flagged & ~sick)),
        true_negatives=int(np.sum(~flagged & ~sick)),
    )


def sweep(
    labels: np.ndarray, probabilities: Array, operating_point: float, prevalence: float
) -> list[Swept]:
    """What each threshold from 0.05 to 0.95 would do, and the operating point; ascending."""
    rows = []
    for threshold in sorted({*SWEPT, operating_point}):
        confusion = confusion_at(labels, probabilities, threshold)
        ppv, npv = predictive_values(confusion.sensitivity, confusion.specificity, prevalence)
        rows.append(
            Swept(threshold=threshold, confusion=confusion, ppv=_known(ppv), npv=_known(npv))
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


def reliability(labels: np.ndarray, probabilities: Array, bins: int = ECE_BINS) -> list[Bin]:
    """Bins of equal width, the same as those of the expected calibration error."""
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        _bin(labels[bin_of == b], probabilities[bin_of == b], b / bins, (b + 1) / bins)
        for b in range(bins)
    ]


def subgroups(model: Evaluated) -> list[Subgroup]:
    """Each group apart: pneumonias first, then normal films, each by name."""
    sick = model.labels == 1
    return [
        _subgroup(model, group, pneumonia)
        for pneumonia in (True, False)
        for group in np.unique(model.groups[sick == pneumonia]).tolist()
    ]


def false_negatives(model: Evaluated) -> list[int]:
    """Indices of the pneumonias that are passed, the least probable first."""
    missed = np.flatnonzero((model.labels == 1) & (model.probabilities < model.threshold))
    order = np.argsort(model.probabilities[missed], kind="stable")
    return [int(index) for index in missed[order]]


def false_positives(model: Evaluated) -> list[int]:
    """Indices of the normal films that are flagged, the most probable first."""
    alarms = np.flatnonzero((model.labels == 0) & (model.probabilities >= model.threshold))
    order = np.argsort(-model.probabilities[alarms], kind="stable")
    return [int(index) for index in alarms[order]]


def _bin(labels: np.ndarray, probabilities: Array, start: float, end: float) -> Bin:
    count, sick = len(labels), int(labels.sum())
    observed = wilson(sick, count) if count else None
    return Bin(
        start=start,
        end=end,
        count=count,
        mean_probability=float(probabilities.mean()) if count else None,
        observed=observed.value if observed else None,
        low=observed.low if observed else None,
        high=observed.high if observed else None,
    )


def _subgroup(model: Evaluated, group: str, pneumonia: bool) -> Subgroup:
    from sklearn.metrics import roc_auc_score

    sick = model.labels == 1
    members = (model.groups == group) & (sick == pneumonia)
    images = int(members.sum())
    flagged = int(np.sum(model.probabilities[members] >= model.threshold))
    right = wilson(flagged if pneumonia else images - flagged, images)
    compared = members | (sick != pneumonia)
    return Subgroup(
        group=group,
        pneumonia=pneumonia,
        images=images,
        patients=len(np.unique(model.patients[members])),
        flagged=flagged,
        right=right.value,
        low=right.low,
        high=right.high,
        auc=float(roc_auc_score(model.labels[compared], model.probabilities[compared])),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
