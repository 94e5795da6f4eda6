"""The acceptance of an ensemble at a site: its figures there against the promised ones. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from readfirst.statistics.calibration import Bin, reliability
from readfirst.statistics.discrimination import area_under_curve, calibration_interval
from readfirst.statistics.operating_points import (
    Interval,
    LabelledProbabilities,
    by_miss_cost,
    confusion_from,
    labelled,
    ppv_at,
)
from readfirst.statistics.shares import Share, share
from readfirst.statistics.threshold_comparison import Comparison, compare_thresholds
from readfirst.studies.prevalence import all_at_prevalence

#: Fewest cases of each kind from which a threshold is proposed.
FEWEST_TO_PROPOSE = 10
#: Points of the ROC curve that are kept, at most.
MOST_POINTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledStudy:
    """A study as an ensemble scored it, and its label. sick: it shows pneumonia.

    The others: of the image that decides, as the report names its groups.
    """

    probability: float
    sick: bool
    received_at: datetime
    validated: bool
    sex: str
    scanner: str
    view: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The figures of an ensemble's manifest, each with its 95 % interval.

    threshold: at which sensitivity and specificity hold. presupposed: share of pneumonia that its
    probabilities presuppose. miss_cost: false alarms that one miss weighed where its threshold was
    chosen; None if it was chosen otherwise.
    """

    ensemble_version: str
    threshold: float
    sensitivity: Interval
    specificity: Interval
    auc: Interval
    ece: Interval
    presupposed: float | None
    miss_cost: float | None
    population: str


class PromiseOutcome(StrEnum):
    """A figure of the site against the promised one."""

    #: Their intervals overlap.
    AGREES = "agrees"
    LOWER = "lower"
    HIGHER = "higher"
    #: Too few cases, or another threshold than the promise's.
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """GroupFigures of a group of studies at a threshold. ppv: among these studies."""

    group: str
    studies: int
    sick: int
    sensitivity: Share
    specificity: Share
    ppv: Share
    auc: Interval | None


@dataclass(frozen=True, slots=True)
class PromisedFigure:
    """A figure of the site beside the promised one. worse: it counts against the ensemble."""

    figure: str
    at_site: Interval | None
    promised: Interval
    outcome: PromiseOutcome

    @property
    def worse(self) -> bool:
        """True if the figure is worse at the site; of errors, the lower one is better."""
        bad = PromiseOutcome.HIGHER if self.figure == "ece" else PromiseOutcome.LOWER
        return self.outcome is bad


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceReport:
    """The figures of an ensemble at a site. No value of it is of one patient.

    first, last: arrivals. labels: where they come from, a sentence. prevalence: share of the sick,
    with its interval. ece: of probabilities as they are stated at that share. site_prevalence: at
    which a PPV is stated, and a threshold is proposed.
    """

    ensemble_version: str
    threshold_version: int
    threshold: float
    made_at: datetime
    labels: str
    first: datetime
    last: datetime
    prevalence: Share
    site_prevalence: float
    presupposed: float | None
    population: str
    whole: GroupFigures
    ppv_at_prevalence: Interval | None
    ece: Interval | None
    calibration: tuple[Bin, ...]
    roc: tuple[tuple[float, float], ...]
    compared: tuple[PromisedFigure, ...]
    groups: dict[str, tuple[GroupFigures, ...]]
    proposed_threshold: float | None
    proposal: Comparison | None


GROUPS: dict[str, Callable[[LabelledStudy], str]] = {
    "population": lambda study: "validated" if study.validated else "not validated",
    "sex": lambda study: study.sex,
    "scanner": lambda study: study.scanner,
    "view": lambda study: study.view,
}


def accept(
    studies: Sequence[LabelledStudy],
    promise: Promise,
    *,
    threshold: float,
    threshold_version: int,
    labels: str,
    made_at: datetime,
    site_prevalence: float | None = None,
) -> AcceptanceReport:
    """Measure an ensemble on labelled studies. Raises ValueError unless both labels are there.

    site_prevalence: share of pneumonia that the site states; None for that of these studies.
    """
    cases = _cases(studies)
    if not cases.has_both:
        raise ValueError("studies of both labels are needed")
    prevalence = share(len(cases.sick), len(studies))
    own = len(cases.sick) / len(studies)
    site = own if site_prevalence is None else site_prevalence
    stated = labelled(
        all_at_prevalence(cases.sick, promise.presupposed, own),
        all_at_prevalence(cases.healthy, promise.presupposed, own),
    )
    ece, whole = calibration_interval(stated), _figures("all", studies, threshold)
    proposed = _proposed(cases, promise, site)
    return AcceptanceReport(
        ensemble_version=promise.ensemble_version,
        threshold_version=threshold_version,
        threshold=threshold,
        made_at=made_at,
        labels=labels,
        first=min(study.received_at for study in studies),
        last=max(study.received_at for study in studies),
        prevalence=prevalence,
        site_prevalence=site,
        presupposed=promise.presupposed,
        population=promise.population,
        whole=whole,
        ppv_at_prevalence=ppv_at(confusion_from(cases, threshold), site),
        ece=ece,
        calibration=_bins(stated),
        roc=_roc(cases),
        compared=tuple(_compared(whole, ece, promise, threshold)),
        groups={
            name: tuple(_grouped(studies, group_of, threshold)) for name, group_of in GROUPS.items()
        },
        proposed_threshold=proposed,
        proposal=None if proposed is None else compare_thresholds(cases, threshold, proposed, site),
    )


def judge(at_site: Interval | None, promised: Interval) -> PromiseOutcome:
    """Hold a figure against the promised one, by their intervals."""
    if at_site is None:
        return PromiseOutcome.NOT_COMPARABLE
    if at_site.high < promised.low:
        return PromiseOutcome.LOWER
    return PromiseOutcome.HIGHER if at_site.low > promised.high else PromiseOutcome.AGREES


def _cases(studies: Iterable[LabelledStudy]) -> LabelledProbabilities:
    studies = list(studies)
    return labelled(
        [study.probability for study in studies if study.sick],
        [study.probability for study in studies if not study.sick],
    )


def _figures(group: str, studies: Sequence[LabelledStudy], threshold: float) -> GroupFigures:
    cases = _cases(studies)
    counts = confusion_from(cases, threshold)
    return GroupFigures(
        group=group,
        studies=counts.cases,
        sick=counts.sick,
        sensitivity=share(counts.true_positives, counts.sick),
        specificity=share(counts.true_negatives, len(cases.healthy)),
        ppv=share(counts.true_positives, counts.flagged),
        auc=area_under_curve(cases),
    )


def _grouped(
    studies: Sequence[LabelledStudy], group_of: Callable[[LabelledStudy], str], threshold: float
) -> Iterable[GroupFigures]:
    """The groups, the largest first."""
    by_group: dict[str, list[LabelledStudy]] = {}
    for study in studies:
        by_group.setdefault(group_of(study), []).append(study)
    largest_first = sorted(by_group, key=lambda name: (-len(by_group[name]), name))
    return [_figures(name, by_group[name], threshold) for name in largest_first]


def _compared(
    whole: GroupFigures, ece: Interval | None, promise: Promise, threshold: float
) -> Iterable[PromisedFigure]:
    # At another threshold, other shares are to be expected.
    same = threshold == promise.threshold
    for figure, at_site, promised in (
        ("auc", whole.auc, promise.auc),
        ("sensitivity", _interval(whole.sensitivity), promise.sensitivity),
        ("specificity", _interval(whole.specificity), promise.specificity),
        ("ece", ece, promise.ece),
    ):
        is_comparable = same or figure in ("auc", "ece")
        yield PromisedFigure(
            figure,
            at_site,
            promised,
            judge(at_site, promised) if is_comparable else PromiseOutcome.NOT_COMPARABLE,
        )


def _interval(figure: Share) -> Interval | None:
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    return Interval(figure.value, figure.low, figure.high)


def _proposed(cases: LabelledProbabilities, promise: Promise, site: float) -> float | None:
    """The threshold of the least cost there, as the ensemble's own was chosen; None of too few."""
    few = min(len(cases.sick), len(cases.healthy)) < FEWEST_TO_PROPOSE
    if few or promise.miss_cost is None:
        return None
    return by_miss_cost(cases, promise.miss_cost, site)


def _bins(cases: LabelledProbabilities) -> tuple[Bin, ...]:
    labels = np.repeat([1, 0], [len(cases.sick), len(cases.healthy)])
    return reliability(labels, np.concatenate([cases.sick, cases.healthy]))


def _roc(cases: LabelledProbabilities) -> tuple[tuple[float, float], ...]:
    """Points of the ROC curve: 1 - specificity and sensitivity, from (0, 0) to (1, 1)."""
    values = np.unique(np.concatenate([cases.sick, cases.healthy]))
    thresholds = np.concatenate([values, [np.inf]])[::-1]
    if len(thresholds) > MOST_POINTS:
        chosen = np.linspace(0, len(thresholds) - 1, MOST_POINTS).round().astype(int)
        thresholds = thresholds[chosen]
    alarms = 1 - np.searchsorted(cases.healthy, thresholds) / len(cases.healthy)
    hits = 1 - np.searchsorted(cases.sick, thresholds) / len(cases.sick)
    return tuple((float(x), float(y)) for x, y in zip(alarms, hits, strict=True))
