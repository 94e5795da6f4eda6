"""Verdicts as they stand: what readers said of studies, and what the AI said then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from db.read_models import VerdictRecord
from db.tables import EnsembleVersion, Image, Study, Verdict
from readfirst.studies.findings import agreement
from readfirst.studies.prevalence import at_prevalence


@dataclass(frozen=True, slots=True)
class VerdictSummary:
    """The verdict of a study that stands, if any, and how many were ever given."""

    current: VerdictRecord | None
    count: int


NO_VERDICT = VerdictSummary(None, 0)
#: A verdict, its study's UID, its ensemble's prevalence, and the number of its study's last one.
VerdictRow = Row[Verdict, str, float | None, int] | tuple[Verdict, str, float | None, int]

_OTHER = aliased(Verdict)
#: Verdicts, each with its study's UID, its ensemble's prevalence and its study's last one. Made
#: once, as the statements below: to put one together takes longer than to run it.
_VERDICTS: Select[Verdict, str, float | None, int] = (
    select(
        Verdict,
        Study.study_instance_uid,
        EnsembleVersion.prevalence,
        select(func.max(_OTHER.id)).where(_OTHER.study_id == Verdict.study_id).scalar_subquery(),
    )
    .join(Study, Verdict.study_id == Study.id)
    .outerjoin(EnsembleVersion, Verdict.ensemble_version == EnsembleVersion.version)
)
_OF_STUDY = _VERDICTS.where(Study.study_instance_uid == bindparam("uid")).order_by(Verdict.id)
_LATEST = (
    select(_OTHER.study_id, func.max(_OTHER.id).label("last"), func.count().label("count"))
    .where(_OTHER.study_id.in_(bindparam("study_ids", expanding=True)))
    .group_by(_OTHER.study_id)
    .subquery()
)
#: The last verdict of each of the studies, and the number of its verdicts.
_SUMMARIES = (
    select(
        Verdict,
        Study.study_instance_uid,
        EnsembleVersion.prevalence,
        _LATEST.c.last,
        _LATEST.c.count,
    )
    .join(_LATEST, Verdict.id == _LATEST.c.last)
    .join(Study, Verdict.study_id == Study.id)
    .outerjoin(EnsembleVersion, Verdict.ensemble_version == EnsembleVersion.version)
)


def latest_verdicts() -> Select[int]:
    """The numbers of the latest verdicts, one a study."""
    return select(func.max(Verdict.id)).group_by(Verdict.study_id)


def latest_verdict_of_study() -> ScalarSelect[int]:
    """The number of the latest verdict of the study that a query is about."""
    latest = select(func.max(_OTHER.id)).where(_OTHER.study_id == Study.id).correlate(Study)
    return latest.scalar_subquery()


def verdict_summaries(
    session: Session, study_ids: Sequence[int], *, prevalence: float | None = None
) -> dict[int, VerdictSummary]:
    """Return what stands of the studies, by their row ids; those without a verdict are left out."""
    rows = session.execute(_SUMMARIES, {"study_ids": study_ids})
    summaries = {}
    for verdict, uid, presupposed, last, count in rows:
        record = _record((verdict, uid, presupposed, last), prevalence)
        summaries[verdict.study_id] = VerdictSummary(record if record.stands else None, count)
    return summaries


def verdicts_of(
    session: Session, study_instance_uid: str, *, prevalence: float | None = None
) -> tuple[VerdictRecord, ...]:
    """Every verdict of a study, the earliest first."""
    rows = session.execute(_OF_STUDY, {"uid": study_instance_uid})
    return tuple(_record(row, prevalence) for row in rows)


def has_verdict(session: Session, sha256: str) -> bool:
    """Tell whether the study of an image ever got a verdict. sha256: of the image's original."""
    study_id = select(Image.study_id).where(Image.sha256 == sha256).scalar_subquery()
    return (
        session.scalar(select(Verdict.id).where(Verdict.study_id == study_id).limit(1)) is not None
    )


def verdict_by_number(
    session: Session, number: int, *, prevalence: float | None = None
) -> VerdictRecord:
    """Return a verdict, which is there."""
    return _record(session.execute(_VERDICTS.where(Verdict.id == number)).one(), prevalence)


def all_verdicts(
    session: Session,
    *,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    study_instance_uid: str | None = None,
    prevalence: float | None = None,
) -> list[VerdictRecord]:
    """The verdicts of all studies, the latest first.

    since, until: given then or later, and before then. before: only those of a lower number.
    """
    query = _VERDICTS.order_by(Verdict.id.desc()).limit(limit)
    if since is not None:
        query = query.where(Verdict.at >= since)
    if until is not None:
        query = query.where(Verdict.at < until)
    if before is not None:
        query = query.where(Verdict.id < before)
    if study_instance_uid is not None:
        query = query.where(Study.study_instance_uid == study_instance_uid)
    return [_record(row, prevalence) for row in session.execute(query)]


def _record(row: VerdictRow, prevalence: float | None) -> VerdictRecord:
    verdict, study_instance_uid, presupposed, last = row

    def at_site(value: float | None) -> float | None:
        return None if value is None else at_prevalence(value, presupposed, prevalence)

    return VerdictRecord(
        number=verdict.id,
        study_instance_uid=study_instance_uid,
        at=verdict.at,
        by=verdict.account,
        finding=verdict.finding,
        agreement=agreement(verdict.finding, verdict.flagged),
        withdrawn=verdict.withdrawn,
        stands=verdict.id == last and not verdict.withdrawn,
        comment=verdict.comment,
        ensemble_version=verdict.ensemble_version,
        probability=at_site(verdict.probability),
        threshold=at_site(verdict.threshold),
        # Verdicts of the time when no site could choose another one do not say it.
        threshold_version=None if verdict.threshold is None else verdict.threshold_version or 1,
        flagged=verdict.flagged,
        blind=verdict.blind,
    )
