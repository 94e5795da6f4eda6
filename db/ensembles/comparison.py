"""Two ensembles side by side, on the films that both have scored at this site.

A study has the probability of its most suspicious film, of those that both have scored. It is
flagged by an ensemble if that reaches the ensemble's threshold of now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlalchemy.orm import Session, aliased

from db.disclosures import OfStudy
from db.ensembles.thresholds import ActiveThreshold, active_thresholds
from db.ensembles.versions import registered
from db.study_conditions import is_not_replaced
from db.tables import EnsembleVersion, Image, Score, ShadowImage, Study, Verdict
from db.verdicts import latest_verdict_of_study
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.statistics.confusion import Confusion, kappa
from readfirst.statistics.paired import Answers, PairedFigure, paired_figures
from readfirst.statistics.shares import Share, share
from readfirst.studies.findings import LABELS, Finding
from readfirst.studies.prevalence import all_at_prevalence, at_prevalence

#: Studies with a verdict, the latest ones, that figures are measured on at most.
MOST_STUDIES = 10_000


class FlagChange(StrEnum):
    """The ways in which the flag of a study differs between two ensembles."""

    #: The second flags it, and the first does not.
    NEW = "new"
    #: The first flags it, and the second does not.
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedEnsemble:
    """An ensemble of the two. threshold: of now, with its version, as the site states it.

    films: that it has scored. given_up: that it could not score in shadow, as its pixel check
    refused them. seconds: for a film, in the mean of the films that both have scored and where it
    was measured, in batches of `batch_size` films in the mean; null where none was.
    """

    version: str
    state: EnsembleState
    threshold: float
    threshold_version: int
    films: int
    given_up: int
    seconds: float | None
    batch_size: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagAgreement:
    """Studies by the flags of both. new: flagged by the second alone; withdrawn: by the first.

    agreement: of all studies, with its 95 % interval. kappa: beyond chance; null where one of them
    flags all or none.
    """

    both: int
    new: int
    withdrawn: int
    neither: int
    agreement: Share
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFigures:
    """Figures of both against the verdicts of readers, on the same studies.

    studies: the latest with a verdict that says pneumonia or none, at most 10,000. blind: those
    whose reader did not see what the AI said. figures: with 95 % intervals by a bootstrap over
    patients; none without studies.
    """

    studies: int
    pneumonia: int
    patients: int
    blind: int
    figures: tuple[PairedFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleComparison:
    """Two ensembles on the films that both have scored.

    first_received, last_received: of these studies; null where there are none. prevalence: the
    site's, by which Brier score and calibration are stated; null: as the ensembles give it.
    """

    first: ComparedEnsemble
    second: ComparedEnsemble
    films: int
    studies: int
    first_received: datetime | None
    last_received: datetime | None
    prevalence: float | None
    flags: FlagAgreement
    readers: ReaderFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedStudy(OfStudy):
    """A study whose flag differs. first, second: probabilities, as the site states them."""

    study_instance_uid: str
    number: int
    received_at: datetime
    first: float
    second: float
    read: bool
    finding: Finding | None


def compare_ensembles(
    session: Session, first: str, second: str, *, prevalence: float | None = None
) -> EnsembleComparison:
    """Compare two ensembles. prevalence: the site's. Raises Misconfigured for one unknown here."""
    rows = _both(session, first, second)
    thresholds = active_thresholds(session).by_ensemble
    limits = thresholds[first], thresholds[second]
    pairs = _pairs(first, second)
    by_first, by_second = _flags(pairs, limits)
    groups = session.execute(
        select(by_first, by_second, func.count(), func.sum(pairs.c.films))
        .select_from(pairs)
        .group_by(by_first, by_second)
    ).all()
    counts = {(bool(a), bool(b)): count for a, b, count, _ in groups}
    received = select(func.min(Study.received_at), func.max(Study.received_at)).join(
        pairs, pairs.c.study_id == Study.id
    )
    first_received, last_received = session.execute(received).one()
    costs = _costs(session, first, second)
    return EnsembleComparison(
        first=_compared(session, rows[0], limits[0], costs[:2], prevalence),
        second=_compared(session, rows[1], limits[1], costs[2:], prevalence),
        films=sum(films for *_, films in groups),
        studies=sum(counts.values()),
        first_received=first_received,
        last_received=last_received,
        prevalence=prevalence,
        flags=_agreement(counts),
        readers=_against_readers(session, rows, pairs, limits, prevalence),
    )


def changed_studies(
    session: Session,
    first: str,
    second: str,
    change: FlagChange,
    *,
    limit: int,
    before: int | None = None,
    prevalence: float | None = None,
) -> list[ChangedStudy]:
    """The studies whose flag differs so, the latest number first. before: of lower numbers only.

    Raises Misconfigured for an ensemble that is unknown here.
    """
    rows = _both(session, first, second)
    thresholds = active_thresholds(session).by_ensemble
    pairs = _pairs(first, second)
    by_first, by_second = _flags(pairs, (thresholds[first], thresholds[second]))
    gains, lacks = (by_second, by_first) if change is FlagChange.NEW else (by_first, by_second)
    query = (
        select(
            *(Study.study_instance_uid, Study.id, Study.received_at),
            *(pairs.c.first, pairs.c.second, Study.read_at, Verdict.finding),
        )
        .join(pairs, pairs.c.study_id == Study.id)
        .outerjoin(Verdict, Verdict.id == latest_verdict_of_study())
        .where(gains == 1, lacks == 0)
        .order_by(Study.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Study.id < before)
    return [
        ChangedStudy(
            study_instance_uid=uid,
            number=number,
            received_at=received_at,
            first=at_prevalence(p_first, rows[0].prevalence, prevalence),
            second=at_prevalence(p_second, rows[1].prevalence, prevalence),
            read=read_at is not None,
            finding=finding,
        )
        for uid, number, received_at, p_first, p_second, read_at, finding in session.execute(query)
    ]


def _both(session: Session, first: str, second: str) -> tuple[EnsembleVersion, EnsembleVersion]:
    if first == second:
        raise Misconfigured(gettext("Name two ensembles that differ."))
    return registered(session, first), registered(session, second)


def _pairs(first: str, second: str) -> Subquery:
    """Studies with the highest probability of both, over the films that both have scored.

    Films that either states for another population than its first are left out: they have another
    threshold.
    """
    of_first, of_second = aliased(Score), aliased(Score)
    return (
        select(
            Image.study_id,
            func.count().label("films"),
            func.max(of_first.probability).label("first"),
            func.max(of_second.probability).label("second"),
        )
        .select_from(of_first)
        .join(of_second, of_second.image_id == of_first.image_id)
        .join(Image, Image.id == of_first.image_id)
        .where(of_first.ensemble_version == first, of_second.ensemble_version == second)
        .where(of_first.population.is_(None), of_second.population.is_(None))
        .where(is_not_replaced())
        .group_by(Image.study_id)
        .subquery()
    )


def _flags(
    pairs: Subquery, thresholds: Sequence[ActiveThreshold]
) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """1 where the first, and where the second, flags a study; else 0."""
    first, second = thresholds
    return (
        case((pairs.c.first >= first.value, 1), else_=0),
        case((pairs.c.second >= second.value, 1), else_=0),
    )


def _agreement(counts: dict[tuple[bool, bool], int]) -> FlagAgreement:
    table = Confusion(
        true_positives=counts.get((True, True), 0),
        false_negatives=counts.get((False, True), 0),
        false_positives=counts.get((True, False), 0),
        true_negatives=counts.get((False, False), 0),
    )
    return FlagAgreement(
        both=table.true_positives,
        new=table.false_negatives,
        withdrawn=table.false_positives,
        neither=table.true_negatives,
        agreement=share(table.right, table.cases),
        kappa=kappa(table),
    )


def _costs(session: Session, first: str, second: str) -> Sequence[float | None]:
    """Mean seconds and batch sizes of the first, then of the second, on films of both."""
    of_first, of_second = aliased(Score), aliased(Score)
    measured = (of_first.seconds, of_first.batch_size, of_second.seconds, of_second.batch_size)
    query = (
        select(*map(func.avg, measured))
        .select_from(of_first)
        .join(of_second, of_second.image_id == of_first.image_id)
        .where(of_first.ensemble_version == first, of_second.ensemble_version == second)
        .where(of_first.seconds.is_not(None), of_second.seconds.is_not(None))
    )
    return [None if value is None else float(value) for value in session.execute(query).one()]


def _compared(
    session: Session,
    row: EnsembleVersion,
    threshold: ActiveThreshold,
    cost: Sequence[float | None],
    prevalence: float | None,
) -> ComparedEnsemble:
    films = select(func.count()).select_from(Score).where(Score.ensemble_version == row.version)
    given_up = select(func.count()).where(
        ShadowImage.ensemble_version == row.version, ShadowImage.given_up_at.is_not(None)
    )
    seconds, batch_size = cost
    return ComparedEnsemble(
        version=row.version,
        state=row.state,
        threshold=at_prevalence(threshold.value, row.prevalence, prevalence),
        threshold_version=threshold.version,
        films=session.scalar(films) or 0,
        given_up=session.scalar(given_up) or 0,
        seconds=seconds,
        batch_size=batch_size,
    )


def _against_readers(
    session: Session,
    ensembles: Sequence[EnsembleVersion],
    pairs: Subquery,
    thresholds: Sequence[ActiveThreshold],
    prevalence: float | None,
) -> ReaderFigures:
    query = (
        select(
            *(Study.id, Study.patient_id, Study.issuer_of_patient_id),
            *(pairs.c.first, pairs.c.second, Verdict.finding, Verdict.blind),
        )
        .join(pairs, pairs.c.study_id == Study.id)
        .join(Verdict, Verdict.id == latest_verdict_of_study())
        .where(Verdict.finding.in_(LABELS))
        .order_by(Study.id.desc())
        .limit(MOST_STUDIES)
    )
    rows = session.execute(query).all()
    # A study without a patient ID is a patient's of its own.
    patients = [(row[1], row[2]) if row[1] is not None else row[0] for row in rows]
    sick = np.array([row[5] is Finding.PNEUMONIA for row in rows], dtype=bool)
    answers = []
    for number, (ensemble, threshold) in enumerate(zip(ensembles, thresholds, strict=True)):
        probabilities = np.array([row[3 + number] for row in rows], dtype=np.float64)
        stated = all_at_prevalence(probabilities, ensemble.prevalence, prevalence)
        answers.append(Answers(stated, probabilities >= threshold.value))
    return ReaderFigures(
        studies=len(rows),
        pneumonia=int(sick.sum()),
        patients=len(set(patients)),
        blind=sum(row[6] for row in rows),
        figures=tuple(paired_figures(sick, answers[0], answers[1], patients)),
    )
