"""Thresholds chosen from evidence, and the report of what one would change at the site.

Evidence is the reference of the ensemble (its held-out patients) and the site's own verdicts. A
study counts with its most suspicious film, as it ranks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic_core import to_jsonable_python
from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from db.ensembles.thresholds import NewThreshold, active_thresholds
from db.ensembles.versions import registered
from db.study_conditions import is_not_replaced, is_unread
from db.tables import EVERYBODY, EnsembleVersion, Image, Score, Study, Verdict
from db.verdicts import latest_verdicts
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.monitoring.reference import read_reference
from readfirst.statistics.operating_points import (
    LabelledProbabilities,
    by_miss_cost,
    by_sensitivity,
    by_specificity,
    labelled,
    spread_over_bins,
)
from readfirst.statistics.shares import Share, share
from readfirst.statistics.threshold_comparison import Comparison, compare_thresholds
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.findings import Finding

#: Days of arrivals of which the report says what would change.
MONTH_DAYS = 30
#: Fewest sick, or healthy, studies with a verdict from which a threshold is chosen.
FEWEST_VERDICTS = 10


class Evidence(StrEnum):
    """The cases that a threshold is chosen from. Stored, so a value is never renamed."""

    #: The held-out patients of the ensemble, by class, in bins.
    REFERENCE = "reference"
    #: The site's studies with a verdict.
    VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChoice:
    """The way in which somebody wants a threshold to be chosen.

    target: the sensitivity, the specificity, the false alarms that one miss weighs, or the value
    itself. prevalence: share of pneumonia where it is used; wanted for the price of a miss.
    """

    method: ThresholdMethod
    target: float
    evidence: Evidence = Evidence.REFERENCE
    prevalence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalChange:
    """The studies that came in of late, as far as the ensemble has scored them.

    days: how many days they are of. newly_flagged, no_longer_flagged: of all of them.
    """

    days: int
    studies: int
    flagged_now: int
    flagged_then: int
    newly_flagged: Share
    no_longer_flagged: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdReport:
    """Changes by a threshold: on the reference, on verdicts, among arrivals and unread work.

    Thresholds are as the ensemble gives probabilities. reference: None where the ensemble brings
    none; between the edges of its bins it is an estimate.
    """

    ensemble_version: str
    population: str
    current_version: int
    current: float
    proposed: float
    method: ThresholdMethod
    target: float
    evidence: Evidence
    prevalence: float | None
    reference: Comparison | None
    verdicts: Comparison
    arrivals: ArrivalChange
    #: Unread studies that rise, and that lose their flag, as soon as the threshold is active.
    unread_newly_flagged: int
    unread_no_longer_flagged: int

    def as_chosen(self, chosen_by: str) -> NewThreshold:
        """Return the proposed threshold, to be kept with this report as its evidence."""
        return NewThreshold(
            ensemble_version=self.ensemble_version,
            value=self.proposed,
            method=self.method,
            evidence=to_jsonable_python(self),
            chosen_by=chosen_by,
        )


def threshold_report(
    session: Session, ensemble_version: str, choice: ThresholdChoice, now: datetime
) -> ThresholdReport:
    """Choose a threshold, and count what it would change. Changes nothing.

    Raises Misconfigured for an unknown ensemble, and where there is too little to choose from.
    """
    ensemble = registered(session, ensemble_version)
    current = active_thresholds(session).by_ensemble[ensemble_version]
    reference = reference_cases(ensemble)
    verdicts = verdict_cases(session, ensemble_version)
    proposed = choose(choice, verdicts if choice.evidence is Evidence.VERDICTS else reference)

    def compared(cases: LabelledProbabilities) -> Comparison:
        return compare_thresholds(cases, current.value, proposed, choice.prevalence)

    rises, falls = _unread_changes(session, ensemble_version, current.value, proposed)
    return ThresholdReport(
        ensemble_version=ensemble_version,
        population=EVERYBODY,
        current_version=current.version,
        current=current.value,
        proposed=proposed,
        method=choice.method,
        target=choice.target,
        evidence=choice.evidence,
        prevalence=choice.prevalence,
        reference=None if reference is None else compared(reference),
        verdicts=compared(verdicts),
        arrivals=_arrival_change(session, ensemble_version, current.value, proposed, now),
        unread_newly_flagged=rises,
        unread_no_longer_flagged=falls,
    )


def choose(choice: ThresholdChoice, cases: LabelledProbabilities | None) -> float:
    """Choose a threshold from cases.

    cases: None where the ensemble brings no reference. Raises Misconfigured where they are too few,
    or the wish is wrong.
    """
    if choice.method is ThresholdMethod.VALUE:
        if not 0 < choice.target < 1:
            raise Misconfigured(gettext("A threshold lies between 0 and 1."))
        return choice.target
    if cases is None:
        raise Misconfigured(
            gettext(
                "The ensemble brings no reference (`readfirst models reference` makes one): "
                "choose from verdicts, or name a value."
            )
        )
    if choice.evidence is Evidence.VERDICTS:
        _check_enough(choice.method, cases)
    try:
        if choice.method is ThresholdMethod.SENSITIVITY:
            return by_sensitivity(cases, choice.target)
        if choice.method is ThresholdMethod.SPECIFICITY:
            return by_specificity(cases, choice.target)
        if choice.prevalence is None:
            raise Misconfigured(
                gettext(
                    "The price of a miss depends on how common pneumonia is: state the "
                    "prevalence, or set READFIRST_PREVALENCE."
                )
            )
        return by_miss_cost(cases, choice.target, choice.prevalence)
    except ValueError as error:
        raise Misconfigured(
            gettext("No threshold can be chosen: {error}.").format(error=error)
        ) from error


def reference_cases(ensemble: EnsembleVersion) -> LabelledProbabilities | None:
    """The held-out films of an ensemble, out of their bins; None where it brings none."""
    if ensemble.reference is None:
        return None
    scores = read_reference(ensemble.reference).scores
    return labelled(
        spread_over_bins(scores.edges, scores.pneumonia),
        spread_over_bins(scores.edges, scores.normal),
    )


def verdict_cases(session: Session, ensemble_version: str) -> LabelledProbabilities:
    """The site's studies with a verdict that tells, as an ensemble scored them."""
    top = _study_scores(ensemble_version)
    query = (
        select(Verdict.finding, top.c.probability)
        .join(top, top.c.study_id == Verdict.study_id)
        .where(Verdict.id.in_(latest_verdicts()))
    )
    by_finding: dict[Finding, list[float]] = {finding: [] for finding in Finding}
    for finding, probability in session.execute(query):
        if finding is not None:
            by_finding[finding].append(probability)
    return labelled(by_finding[Finding.PNEUMONIA], by_finding[Finding.NO_PNEUMONIA])


def _arrival_change(
    session: Session, ensemble_version: str, current: float, proposed: float, now: datetime
) -> ArrivalChange:
    first = session.scalar(select(func.min(Study.received_at)))
    since = max(now - timedelta(days=MONTH_DAYS), first or now)
    top = _study_scores(ensemble_version)
    query = (
        select(top.c.probability)
        .join(Study, Study.id == top.c.study_id)
        .where(Study.received_at >= since)
    )
    probabilities = list(session.scalars(query))
    before = [probability >= current for probability in probabilities]
    after = [probability >= proposed for probability in probabilities]
    pairs = list(zip(before, after, strict=True))
    return ArrivalChange(
        days=max(1, min(MONTH_DAYS, (now - since).days + 1)),
        studies=len(probabilities),
        flagged_now=sum(before),
        flagged_then=sum(after),
        newly_flagged=share(pairs.count((False, True)), len(pairs)),
        no_longer_flagged=share(pairs.count((True, False)), len(pairs)),
    )


def _unread_changes(
    session: Session, ensemble_version: str, current: float, proposed: float
) -> tuple[int, int]:
    """Unread studies that would rise, and that would lose their flag."""
    low, high = sorted((current, proposed))
    query = (
        select(func.count())
        .select_from(Study)
        .where(is_unread(), Study.ensemble_version == ensemble_version)
        .where(Study.population.is_(None))
        .where(Study.probability >= low, Study.probability < high)
    )
    count = session.scalar(query) or 0
    return (count, 0) if proposed < current else (0, count)


def _study_scores(ensemble_version: str) -> Subquery:
    """Studies, each with the highest probability that an ensemble gave to one of its films.

    Films of another population than the first are left out: they have another threshold.
    """
    return (
        select(Image.study_id, func.max(Score.probability).label("probability"))
        .join(Score, Score.image_id == Image.id)
        .where(Score.ensemble_version == ensemble_version, Score.population.is_(None))
        .where(is_not_replaced())
        .group_by(Image.study_id)
        .subquery()
    )


def _check_enough(method: ThresholdMethod, cases: LabelledProbabilities) -> None:
    wanted = {
        ThresholdMethod.SENSITIVITY: (len(cases.sick),),
        ThresholdMethod.SPECIFICITY: (len(cases.healthy),),
    }.get(method, (len(cases.sick), len(cases.healthy)))
    if min(wanted) < FEWEST_VERDICTS:
        raise Misconfigured(
            gettext(
                "Verdicts say pneumonia of {sick} studies that the ensemble has scored, and no "
                "pneumonia of {healthy}: too few to choose from (at least {least}). Choose on the "
                "reference, or name a value."
            ).format(sick=len(cases.sick), healthy=len(cases.healthy), least=FEWEST_VERDICTS)
        )
