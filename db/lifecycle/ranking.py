"""The standing of studies: their ranks follow their scores, and priors are told from work to read.

The rule of priors is pure (`readfirst.studies.priors`). It is applied whenever something of a
patient comes in or is scored, and never to what somebody has read, what was ordered as STAT, and
what a reader wants to be read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from db.ensembles.shadows import score_counts
from db.ensembles.thresholds import active_thresholds
from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause, DomainEvent
from db.lifecycle.unit_of_work import UnitOfWork
from db.nights.counting import RankingScore, Rescored
from db.ris.merges import Merges, merges_of
from db.study_conditions import is_not_replaced
from db.tables import Image, Score, Study
from readfirst.studies.identity import is_same, patient_of
from readfirst.studies.priors import PriorReason, StudyDates, prior_reason

#: Studies of the same IDs that are looked at, the latest first. A number that stands for
#: `unknown` may have many more; what is not looked at stays as it is.
MOST_STUDIES = 1000
#: The causes of changes that the report of a night is about.
OF_NIGHTS = (Cause.RESCORE, Cause.ROLLBACK)


def rank(unit: UnitOfWork, causes: Mapping[int, Cause], active_version: str) -> None:
    """Bring flag, probability and reading key of studies in line with scores and thresholds.

    causes: of what their ranks change by, by the numbers of the studies.
    """
    locked = (
        select(Study)
        .where(Study.id.in_(causes))
        # In one order everywhere, so that two workers never wait for each other.
        .order_by(Study.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    studies = unit.session.scalars(locked).all()
    query = (
        select(Image.study_id, Score)
        .join(Score, Score.image_id == Image.id)
        .where(Image.study_id.in_(causes), is_not_replaced(), score_counts())
        .order_by(Score.id)
    )
    scores = defaultdict[int, list[Score]](list)
    for study_id, score in unit.session.execute(query):
        scores[study_id].append(score)
    thresholds = active_thresholds(unit.session)
    for study in studies:
        deciding = study_steps.deciding_score(scores[study.id], active_version, thresholds)
        head_start, cause = unit.policy.head_start, causes[study.id]
        before = _ranking_score(study)
        unit.add(*study_steps.rank(study, deciding, active_version, thresholds, head_start, cause))
        if cause in OF_NIGHTS:
            rescored = Rescored(before, _ranking_score(study), was_read=study.read_at is not None)
            unit.add_rescored(study.id, rescored)


def _ranking_score(study: Study) -> RankingScore:
    return RankingScore(study.ensemble_version, study.probability, study.flagged)


def settle_priors(unit: UnitOfWork, studies: Iterable[Study], cause: Cause) -> None:
    """Bring the studies of the patients of these in line with the rule of priors.

    A study that another transaction changes at this moment is left to that one.
    """
    after = unit.policy.prior_after
    if after is None:
        return
    # A study without a patient ID is a patient's of its own.
    alone = [study for study in studies if study.patient_id is None]
    ids = {study.patient_id for study in studies if study.patient_id is not None}
    unit.session.flush()
    merges = merges_of(unit.session, ids)
    known = _of_patients(unit, ids | merges.ids)
    reasons = {
        study.id: prior_reason(_dates(study), map(_dates, _others(study, known, merges)), after)
        for study in (*alone, *known)
    }
    changing = [
        study.id
        for study in (*alone, *known)
        if study_steps.may_be_prior(study)
        and (study.prior_since is None) != (reasons[study.id] is None)
    ]
    for study in _locked(unit, changing):
        unit.add(*_settled(unit, study, reasons[study.id], cause))


def _settled(
    unit: UnitOfWork, study: Study, reason: PriorReason | None, cause: Cause
) -> list[DomainEvent]:
    # It may have been read while this transaction waited for it.
    if not study_steps.may_be_prior(study):
        return []
    if reason is None:
        return study_steps.no_prior(study, cause)
    return study_steps.make_prior(study, reason, unit.at, cause)


def _of_patients(unit: UnitOfWork, patient_ids: set[str]) -> Sequence[Study]:
    if not patient_ids:
        return []
    query = (
        select(Study)
        .where(Study.patient_id.in_(patient_ids), Study.study_datetime.is_not(None))
        .where(Study.images.any())
        .order_by(Study.study_datetime.desc(), Study.id.desc())
        .limit(MOST_STUDIES)
    )
    return unit.session.scalars(query).all()


def _others(study: Study, known: Sequence[Study], merges: Merges) -> list[Study]:
    patient = merges.identity(patient_of(study))
    return [
        other
        for other in known
        if other.id != study.id and is_same(merges.identity(patient_of(other)), patient)
    ]


def _dates(study: Study) -> StudyDates:
    return StudyDates(
        taken_at=study.study_datetime,
        received_at=study.received_at,
        birth_date=study.patient_birth_date,
    )


def _locked(unit: UnitOfWork, study_ids: Sequence[int]) -> Sequence[Study]:
    if not study_ids:
        return []
    query = (
        select(Study)
        .where(Study.id.in_(study_ids))
        .order_by(Study.id)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return unit.session.scalars(query).all()
