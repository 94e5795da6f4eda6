"""Verdicts as they stand: what readers said of studies, and what the AI said then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, func, select
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
VerdictRow = Row[Verdict, str, float | None, int]


def verdict_summaries(
    session: Session, study_ids: Sequence[int], *, prevalence: float | None = None
) -> dict[int, VerdictSummary]:
    """Return what stands of the studies, by their row ids; those without a verdict are left out."""
    latest = (
        select(Verdict.study_id, func.max(Verdict.id).label("last"), func.count().label("count"))
        .where(Verdict.study_id.in_(study_ids))
        .group_by(Verdict.study_id)
        .subquery()
    )
    counts = select(latest.c.study_id, latest.c.count)
    summaries = {
        study_id: VerdictSummary(None, count) for study_id, count in session.execute(counts)
    }
    for row in session.execute(_verdicts().join(latest, Verdict.id == latest.c.last)):
        study_id, record = row.Verdict.study_id, _record(row, prevalence)
        if record.stands:
            summaries[study_id] = VerdictSummary(record, summaries[study_id].count)
    return summaries


def verdicts_of(
    session: Session, study_instance_uid: str, *, prevalence: float | None = None
) -> tuple[VerdictRecord, ...]:
    """Every verdict of a study, the earliest first."""
    query = _verdicts().where(Study.study_instance_uid == study_instance_uid).order_by(Verdict.id)
    return tuple(_record(row, prevalence) for row in session.execute(query))


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
    return _record(session.execute(_verdicts().where(Verdict.id == number)).one(), prevalence)


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
    query = _verdicts().order_by(Verdict.id.desc()).limit(limit)
    if since is not None:
        query = query.where(Verdict.at >= since)
    if until is not None:
        query = query.where(Verdict.at < until)
    if before is not None:
        query = query.where(Verdict.id < before)
    if study_instance_uid is not None:
        query = query.where(Study.study_instance_uid == study_instance_uid)
    return [_record(row, prevalence) for row in session.execute(query)]


def _verdicts() -> Select[Verdict, str, float | None, int]:
    """Verdicts, each with its study's UID, its ensemble's prevalence and its study's last one."""
    other = aliased(Verdict)
    last = select(func.max(other.id)).where(other.study_id == Verdict.study_id)
    return (
        select(
            Verdict, Study.study_instance_uid, EnsembleVersion.prevalence, last.scalar_subquery()
        )
        .join(Study, Verdict.study_id == Study.id)
        .outerjoin(EnsembleVersion, Verdict.ensemble_version == EnsembleVersion.version)
    )


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
        flagged=verdict.flagged,
        blind=verdict.blind,
    )
