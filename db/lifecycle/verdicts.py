"""A reader gives a verdict: it is added, and its study is read, or unread again.

A verdict is refused if its reader cannot have seen all there is: another verdict, or another image.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.access import audit
from db.access.audit import Actor
from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.ranking import settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.read_models import VerdictRecord
from db.study_conditions import is_film
from db.tables import Image, Study, Verdict
from db.verdicts import NO_VERDICT, VerdictSummary, verdict_summaries
from readfirst.domain import ImageState
from readfirst.errors import Conflict
from readfirst.language.texts import gettext
from readfirst.studies.findings import Finding, agreement, finding_text

#: Most characters of a comment.
MOST_COMMENT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictInput:
    """A reader's verdict. finding: None for read without an opinion.

    withdrawn: the study is to be unread again; then there is no finding.
    """

    finding: Finding | None = None
    withdrawn: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFilm:
    """The film that a reader was shown, by the digest of its original; empty: none.

    failed: a film that could not be shown, since its file is broken or gone.
    """

    displayed: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """The number of verdicts and of images of a study that its reader has been shown.

    film: None where that cannot be known, as for programs. ai_hidden: the site hides what the AI
    says until the first verdict.
    """

    verdicts: int
    images: int
    film: ShownFilm | None = None
    ai_hidden: bool = False


def submit_verdict(
    unit: UnitOfWork,
    study_instance_uid: str,
    verdict: VerdictInput,
    by: Actor,
    *,
    expected: ExpectedVersion | None,
    name: str | None = None,
) -> int | None:
    """Add a verdict, mark its study as read or unread, and note it in events and audit log.

    expected: None if the reader was shown nothing, as at the command line. name: who gives it,
    where `by` has no account. Returns the verdict's number; None if there is no such study. Raises
    Conflict if more is there than was expected, if no film was displayed, or if there is no verdict
    to withdraw.
    """
    query = select(Study).where(Study.study_instance_uid == study_instance_uid, Study.images.any())
    study = unit.session.scalar(query.with_for_update(key_share=True))
    if study is None:
        return None
    summary = verdict_summaries(unit.session, [study.id]).get(study.id, NO_VERDICT)
    _check(unit.session, study, verdict, expected, summary)
    row = _row(unit, study, verdict, by.account or name)
    # Whoever comes after the first verdict has been shown what the AI said.
    row.blind = expected is not None and expected.ai_hidden and summary.count == 0
    unit.session.add(row)
    unit.session.flush()
    unit.add(_verdict_event(study, row))
    unit.add(*study_steps.mark_read(study, None if row.withdrawn else row.at, Cause.READER))
    settle_priors(unit, [study], Cause.READER)
    _note_in_audit_log(unit, study, row, by, name)
    return row.id


def read_anyway(unit: UnitOfWork, study_instance_uid: str, by: Actor) -> bool | None:
    """Take a prior back to unread work for good, and note who did it.

    Returns False if it is no prior, and None if there is no such study.
    """
    query = select(Study).where(Study.study_instance_uid == study_instance_uid, Study.images.any())
    study = unit.session.scalar(query.with_for_update(key_share=True))
    if study is None:
        return None
    events = study_steps.no_prior(study, Cause.READER)
    study.never_prior = True
    unit.add(*events)
    if events:
        action = audit.AuditAction.PRIOR_READ_ANYWAY
        audit.note(unit.session, by, action, unit.at, study_instance_uid=study_instance_uid)
    return bool(events)


def _check(
    session: Session,
    study: Study,
    verdict: VerdictInput,
    expected: ExpectedVersion | None,
    summary: VerdictSummary,
) -> None:
    """Raises Conflict. The study is locked: nothing of it changes until the transaction ends."""
    if expected is not None and summary.count != expected.verdicts:
        confirm = gettext("Please confirm your verdict.")
        raise Conflict(f"{_last_word(summary.current)} {confirm}")
    images = session.scalar(select(func.count()).where(Image.study_id == study.id))
    if expected is not None and images != expected.images:
        raise Conflict("Another image of this study has come in. Look at it first.")
    if verdict.withdrawn and summary.current is None:
        raise Conflict("There is no verdict to withdraw: the study is unread.")
    if verdict.finding is not None and not _has_film(session, study):
        raise Conflict("No file of this study has a film, so it takes no finding.")
    if expected is not None and expected.film is not None and not verdict.withdrawn:
        digests = session.scalars(select(Image.sha256).where(Image.study_id == study.id))
        _check_film(verdict.finding, expected.film, set(digests))


def _has_film(session: Session, study: Study) -> bool:
    query = select(Image.id).where(Image.study_id == study.id, is_film()).limit(1)
    return session.scalar(query) is not None


def dismiss(unit: UnitOfWork, image_id: int, by: Actor, note: str | None = None) -> bool:
    """Mark the study of a refused image as read, without an opinion: nothing of it is missed.

    Returns False if there is no such refused image. Raises Conflict where the study has another
    image: then it is read as any other.
    """
    image = unit.session.get(Image, image_id)
    if image is None or image.state is not ImageState.REFUSED:
        return False
    others = select(Image.id).where(
        Image.study_id == image.study_id, Image.state != ImageState.REFUSED
    )
    if unit.session.scalar(others.limit(1)) is not None:
        raise Conflict("The study has other images. Read it on its own page.")
    verdict = VerdictInput(comment=note)
    submit_verdict(unit, image.study.study_instance_uid, verdict, by, expected=None)
    return True


def _check_film(finding: Finding | None, film: ShownFilm, digests: set[str]) -> None:
    """Raises Conflict unless a film of the study was displayed.

    One that cannot be displayed takes no finding, but may be marked as read.
    """
    if film.displayed in digests:
        return
    if film.failed not in digests:
        raise Conflict("The film has not been displayed yet. Look at it first.")
    if finding not in (None, Finding.CANNOT_TELL):
        raise Conflict(
            "The film cannot be displayed here, so it takes no finding: "
            "only that you cannot tell, or that it is read."
        )


def _last_word(verdict: VerdictRecord | None) -> str:
    if verdict is None:
        return gettext("The verdict was withdrawn while you were reading.")
    text = gettext("{reader} recorded “{verdict}” while you were reading.")
    reader = verdict.by or gettext("Somebody")
    return text.format(reader=reader, verdict=finding_text(verdict.finding))


def _row(unit: UnitOfWork, study: Study, verdict: VerdictInput, account: str | None) -> Verdict:
    """The verdict, with what the AI says at this moment: all of it as the study ranks by it."""
    is_scored = study.score_id is not None
    return Verdict(
        study_id=study.id,
        at=unit.at,
        account=account,
        finding=None if verdict.withdrawn else verdict.finding,
        withdrawn=verdict.withdrawn,
        comment=(verdict.comment or "").strip()[:MOST_COMMENT] or None,
        ensemble_version=study.ensemble_version,
        probability=study.probability,
        threshold=study.threshold,
        threshold_version=study.threshold_version,
        flagged=study.flagged if is_scored else None,
    )


def _verdict_event(study: Study, verdict: Verdict) -> DomainEvent:
    detail: dict[str, object] = {"withdrawn": True}
    if not verdict.withdrawn:
        agrees = agreement(verdict.finding, verdict.flagged)
        detail = {"finding": verdict.finding, "agreement": agrees}
    return DomainEvent(action=EventAction.VERDICT, study=study, cause=Cause.READER, detail=detail)


def _note_in_audit_log(
    unit: UnitOfWork, study: Study, verdict: Verdict, by: Actor, name: str | None
) -> None:
    actions = audit.AuditAction
    audit.note(
        unit.session,
        by,
        actions.VERDICT_WITHDRAWN if verdict.withdrawn else actions.VERDICT_GIVEN,
        unit.at,
        study_instance_uid=study.study_instance_uid,
        **({} if verdict.withdrawn else {"finding": verdict.finding}),
        **({"by": name} if name else {}),
    )
