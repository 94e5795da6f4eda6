"""The studies behind a figure of the monitoring: what the lead looks at to understand a number."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, SQLColumnExpression, case, func, select
from sqlalchemy.orm import Session

from db.ensembles.shadows import score_counts
from db.scanner_names import is_of_scanner
from db.study_conditions import counting_threshold
from db.tables import EnsembleVersion, Image, Score, Study, Verdict
from db.verdicts import latest_verdict_of_study
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding, VerdictGroup
from readfirst.studies.prevalence import at_prevalence

#: Finding, and whether the AI flagged the study.
COMPARED = {
    VerdictGroup.TRUE_POSITIVE: (Finding.PNEUMONIA, True),
    VerdictGroup.FALSE_POSITIVE: (Finding.NO_PNEUMONIA, True),
    VerdictGroup.MISSED: (Finding.PNEUMONIA, False),
    VerdictGroup.TRUE_NEGATIVE: (Finding.NO_PNEUMONIA, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFilter:
    """The studies for which every condition holds that is set.

    ensemble: the version whose scores are meant; None for what the AI said when the verdict was
    given. probability: by that version, from the first value on and below the second.
    code: of a refused image. scanner: of an image, as `scanner_name` writes it.
    """

    agreement: VerdictGroup | None = None
    ensemble: str | None = None
    probability: tuple[float, float] | None = None
    code: RefusalCode | None = None
    scanner: str | None = None

    @property
    def is_by_score(self) -> bool:
        """True if it tells what the AI says of studies without a verdict."""
        return self.probability is not None and self.agreement is None


def as_networks_gave(
    session: Session, which: FigureFilter | None, prevalence: float | None
) -> FigureFilter | None:
    """The same filter, with probabilities as the networks gave them instead of as a site has them.

    prevalence: the site's, by which its probabilities are stated.
    """
    if which is None or which.probability is None or which.ensemble is None:
        return which
    ensemble = session.get(EnsembleVersion, which.ensemble)
    presupposed = None if ensemble is None else ensemble.prevalence
    low, high = (at_prevalence(bound, prevalence, presupposed) for bound in which.probability)
    return replace(which, probability=(low, high))


def figure_conditions(which: FigureFilter) -> Iterator[ColumnElement[bool]]:
    """The filter as conditions of a query for studies."""
    if which.agreement is not None:
        yield _agreement(which.agreement, which.ensemble)
    if which.probability is not None and which.ensemble is not None:
        yield from _probability(which.probability, which.ensemble)
    if which.code is not None:
        refused = Image.state == ImageState.REFUSED
        yield Study.images.any(refused & (Image.code == which.code))
    if which.scanner is not None:
        yield Study.images.any(is_of_scanner(which.scanner))


def _agreement(group: VerdictGroup, ensemble: str | None) -> ColumnElement[bool]:
    """By the latest verdict of each study: one that was withdrawn has no finding."""
    verdict = select(Verdict.id).where(
        Verdict.id == latest_verdict_of_study(), Verdict.finding.is_not(None)
    )
    if group is VerdictGroup.CANNOT_TELL:
        verdict = verdict.where(Verdict.finding == Finding.CANNOT_TELL)
    elif group is VerdictGroup.BLIND:
        verdict = verdict.where(Verdict.blind)
    if group not in COMPARED:
        is_scored = None if ensemble is None else _highest(Score.probability, ensemble).is_not(None)
        return verdict.exists() if is_scored is None else verdict.exists() & is_scored
    finding, is_flagged = COMPARED[group]
    verdict = verdict.where(Verdict.finding == finding)
    if ensemble is None:
        return verdict.where(Verdict.flagged.is_(is_flagged)).exists()
    reaches = Score.probability >= counting_threshold()
    flagged = _highest(case((reaches, 1), else_=0), ensemble)
    return verdict.exists() & (flagged == int(is_flagged))


def _probability(bounds: tuple[float, float], ensemble: str) -> Iterator[ColumnElement[bool]]:
    """A study has the probability of its most probable film."""
    value = _highest(Score.probability, ensemble)
    yield value >= bounds[0]
    # The last bin of a figure holds 1 too.
    yield value <= bounds[1] if bounds[1] >= 1 else value < bounds[1]


def _highest(value: SQLColumnExpression[Any], ensemble: str) -> ScalarSelect[Any]:
    """The highest value of the scores that an ensemble gave to a study's films; of no shadow."""
    return (
        select(func.max(value))
        .join(Image, Score.image_id == Image.id)
        .where(Image.study_id == Study.id, Score.ensemble_version == ensemble, score_counts())
        .scalar_subquery()
    )
