"""Verdicts: what readers say of studies. Rows are only ever added; the latest of a study stands.

A verdict is refused if its reader cannot have seen all there is: another verdict, or another image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from db.audit import Action, Actor
from db.audit import note as audit
from db.events import note_study
from db.tables import Ensemble, Image, Study
from db.verdict_tables import Verdict
from db.views import VerdictView
from readfirst.errors import Conflict
from readfirst.findings import Finding, agreement, said
from readfirst.prevalence import at_prevalence

#: Most characters of a comment.
MOST_COMMENT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a reader says. finding: None for read without an opinion.

    withdrawn: the study is to be unread again; then there is no finding.
    """

    finding: Finding | None = None
    withdrawn: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How many verdicts and images of a study its reader has been shown."""

    verdicts: int
    images: int


@dataclass(frozen=True, slots=True)
class Given:
    """The verdict of a study that stands, if any, and how many were ever given."""

    standing: VerdictView | None
    count: int


NONE_GIVEN = Given(None, 0)
#: A verdict, its study's UID, its ensemble's prevalence, and the number of its study's last one.
ViewRow = Row[Verdict, str, float | None, int]


def give(
    session: Session,
    study_instance_uid: str,
    opinion: Opinion,
    by: Actor,
    at: datetime,
    *,
    seen: Seen | None,
    name: str | None = None,
) -> int | None:
    """Add a verdict, mark its study as read or unread, and note it in events and audit log.

    seen: None if the reader was shown nothing, as at the command line. name: who gives it, where
    `by` has no account. Returns the verdict's number; None if there is no such study. Raises
    Conflict if more is there than was seen, or if there is no verdict to withdraw.
    """
    query = select(Study).where(Study.study_instance_uid == study_instance_uid, Study.images.any())
    study = session.scalar(query.with_for_update())
    if study is None:
        return None
    _check(session, study, opinion, seen)
    verdict = _added(session, study, opinion, by.account or name, at)
    _mark(session, study, verdict)
    action = Action.VERDICT_WITHDRAWN if opinion.withdrawn else Action.VERDICT_GIVEN
    detail = {"by": name} if name else {}
    said_so = {} if opinion.withdrawn else {"finding": opinion.finding}
    audit(session, by, action, at, study_instance_uid=study_instance_uid, **said_so, **detail)
    return verdict.id


def _check(session: Session, study: Study, opinion: Opinion, seen: Seen | None) -> None:
    """Raises Conflict. The study is locked: nothing of it changes until the transaction ends."""
    given = given_to(session, [study.id]).get(study.id, NONE_GIVEN)
    if seen is not None and given.count != seen.verdicts:
        raise Conflict(f"{_last_word(given.standing)} Look at it, and say again what holds.")
    images = session.scalar(select(func.count()).where(Image.study_id == study.id))
    if seen is not None and images != seen.images:
        raise Conflict("Another image of this study has come in. Look at it first.")
    if opinion.withdrawn and given.standing is None:
        raise Conflict("There is no verdict to withdraw: the study is unread.")


def _last_word(standing: VerdictView | None) -> str:
    if standing is None:
        return "The verdict was withdrawn in the meantime."
    who = standing.by or "somebody"
    return f"In the meantime {who} gave a verdict: {said(standing.finding)}."


def _added(
    session: Session, study: Study, opinion: Opinion, account: str | None, at: datetime
) -> Verdict:
    scored = study.probability is not None
    ensemble = session.get(Ensemble, study.ensemble_version) if scored else None
    verdict = Verdict(
        study_id=study.id,
        at=at,
        account=account,
        finding=None if opinion.withdrawn else opinion.finding,
        withdrawn=opinion.withdrawn,
        comment=(opinion.comment or "").strip()[:MOST_COMMENT] or None,
        ensemble_version=study.ensemble_version,
        probability=study.probability,
        threshold=ensemble.threshold if ensemble else None,
        flagged=study.flagged if scored else None,
    )
    session.add(verdict)
    session.flush()
    return verdict


def _mark(session: Session, study: Study, verdict: Verdict) -> None:
    """Let the study be read, or unread again; say so where it changes."""
    detail: dict[str, Any] = {"withdrawn": True}
    if not verdict.withdrawn:
        agrees = agreement(verdict.finding, verdict.flagged)
        detail = {"finding": verdict.finding, "agreement": agrees}
    note_study(session, study, "verdict", verdict.at, **detail)
    was_read = study.read_at is not None
    study.read_at = None if verdict.withdrawn else verdict.at
    if was_read == verdict.withdrawn:
        note_study(session, study, "unread" if was_read else "read", verdict.at)


def given_to(
    session: Session, study_ids: Sequence[int], *, prevalence: float | None = None
) -> dict[int, Given]:
    """What stands of the studies, by their row ids; those without a verdict are left out."""
    latest = (
        select(Verdict.study_id, func.max(Verdict.id).label("last"), func.count().label("count"))
        .where(Verdict.study_id.in_(study_ids))
        .group_by(Verdict.study_id)
        .subquery()
    )
    counts = select(latest.c.study_id, latest.c.count)
    found = {study_id: Given(None, count) for study_id, count in session.execute(counts)}
    for row in session.execute(_views().join(latest, Verdict.id == latest.c.last)):
        study_id, view = row.Verdict.study_id, _view(row, prevalence)
        if view.stands:
            found[study_id] = Given(view, found[study_id].count)
    return found


def verdicts_of(
    session: Session, study_instance_uid: str, *, prevalence: float | None = None
) -> tuple[VerdictView, ...]:
    """Every verdict of a study, the earliest first."""
    query = _views().where(Study.study_instance_uid == study_instance_uid).order_by(Verdict.id)
    return tuple(_view(row, prevalence) for row in session.execute(query))


def verdict_by_number(
    session: Session, number: int, *, prevalence: float | None = None
) -> VerdictView:
    """One verdict, which is there."""
    return _view(session.execute(_views().where(Verdict.id == number)).one(), prevalence)


def all_verdicts(
    session: Session,
    *,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    study_instance_uid: str | None = None,
    prevalence: float | None = None,
) -> list[VerdictView]:
    """The verdicts of all studies, the latest first.

    since, until: given then or later, and before then. before: only those of a lower number.
    """
    query = _views().order_by(Verdict.id.desc()).limit(limit)
    if since is not None:
        query = query.where(Verdict.at >= since)
    if until is not None:
        query = query.where(Verdict.at < until)
    if before is not None:
        query = query.where(Verdict.id < before)
    if study_instance_uid is not None:
        query = query.where(Study.study_instance_uid == study_instance_uid)
    return [_view(row, prevalence) for row in session.execute(query)]


def _views() -> Select[Verdict, str, float | None, int]:
    """Verdicts, each with its study's UID, its ensemble's prevalence and its study's last one."""
    other = aliased(Verdict)
    last = select(func.max(other.id)).where(other.study_id == Verdict.study_id)
    return (
        select(Verdict, Study.study_instance_uid, Ensemble.prevalence, last.scalar_subquery())
        .join(Study, Verdict.study_id == Study.id)
        .outerjoin(Ensemble, Verdict.ensemble_version == Ensemble.version)
    )


def _view(row: ViewRow, prevalence: float | None) -> VerdictView:
    verdict, study_instance_uid, presupposed, last = row

    def here(value: float | None) -> float | None:
        return None if value is None else at_prevalence(value, presupposed, prevalence)

    return VerdictView(
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
        probability=here(verdict.probability),
        threshold=here(verdict.threshold),
        flagged=verdict.flagged,
    )
