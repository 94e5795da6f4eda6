"""The page of a study: its facts around its films, and the reader's verdict."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from db.access.audit import AuditAction, FirstViewing, first_view
from db.escalation.acknowledge import EscalationRecord, escalation_of
from db.lifecycle.unit_of_work import unit_of_work
from db.lifecycle.verdicts import (
    MOST_COMMENT,
    ExpectedVersion,
    ShownFilm,
    VerdictInput,
    submit_verdict,
)
from db.read_models import StudyDetail
from db.session import Database
from db.worklist.adjacent_studies import AdjacentStudies, adjacent_studies, most_urgent_unread
from db.worklist.filters import WorklistFilter
from db.worklist.next_unread import NextReason, next_unread
from db.worklist.patients import OtherStudy, other_studies
from db.worklist.queries import opening_film, study_detail
from db.worklist.readers import read_by_others, readers_by_study
from db.worklist.sorting import READING_ORDER
from readfirst.access.roles import Role
from readfirst.errors import Conflict
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.studies.display import DisplayContext
from readfirst.studies.findings import Finding
from worklist.api.cursors import GREATEST_ID
from worklist.api.parameters import NO_NUL
from worklist.pages.studies.facts import (
    choices,
    earlier_than,
    facts,
    order_line,
    other_study_row,
    pacs_link,
    verdict_on,
    verdict_row,
)
from worklist.pages.studies.film import film_study
from worklist.pages.studies.score_bars import image_scores
from worklist.pages.studies.timeline import timeline, times
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    LifecycleDep,
    NowDep,
    RequestDisclosures,
    SettingsDep,
)
from worklist.services.forms import OwnForm
from worklist.services.reader_texts import reader_text
from worklist.services.study_texts import minute, patient_name, read_elsewhere
from worklist.services.templating import TEMPLATES, is_part

router = APIRouter(default_response_class=HTMLResponse)

#: PS3.5 9.1.
UID = re.compile(r"[0-9.]{1,64}")
OPINIONS = {
    "pneumonia": VerdictInput(finding=Finding.PNEUMONIA),
    "no_pneumonia": VerdictInput(finding=Finding.NO_PNEUMONIA),
    "cannot_tell": VerdictInput(finding=Finding.CANNOT_TELL),
    "read": VerdictInput(),
    "unread": VerdictInput(withdrawn=True),
}
Digest = Annotated[str, Form(max_length=64)]
Count = Annotated[int, Form(ge=0, le=GREATEST_ID)]


@dataclass(frozen=True, slots=True)
class StudyPage:
    """The rows behind the page."""

    detail: StudyDetail
    opened: FirstViewing | None
    others: list[OtherStudy]
    adjacent_studies: AdjacentStudies
    #: The film that the next unread study opens with, to be loaded before.
    next_film: str | None
    escalation: EscalationRecord | None


@router.get("/studies/{study_instance_uid}")
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def study(
    request: Request, database: DatabaseDep, settings: SettingsDep, study_instance_uid: str
) -> Response:
    """The page."""
    return _page(request, database, settings, study_instance_uid)


@router.post("/studies/{study_instance_uid}/verdict", dependencies=[OwnForm])
# A verdict is noted in its own transaction; a page that refuses one, as any page of a study.
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def verdict(
    request: Request,
    user: CurrentUser,
    disclosures: RequestDisclosures,
    database: DatabaseDep,
    settings: SettingsDep,
    rules: LifecycleDep,
    study_instance_uid: str,
    say: Annotated[str, Form(max_length=32)],
    verdicts_seen: Count,
    images_seen: Count,
    displayed: Digest = "",
    failed: Digest = "",
    comment: Annotated[str, Form(max_length=MOST_COMMENT, pattern=NO_NUL)] = "",
) -> Response:
    """Take the verdict that the page sends."""
    if say not in OPINIONS or not UID.fullmatch(study_instance_uid):
        raise HTTPException(422, "This is no verdict.")
    verdict_input = replace(OPINIONS[say], comment=comment)
    expected = ExpectedVersion(
        verdicts_seen,
        images_seen,
        ShownFilm(displayed=displayed, failed=failed),
        ai_hidden=settings.hides_ai,
    )
    try:
        with unit_of_work(database, rules) as unit:
            submit_verdict(unit, study_instance_uid, verdict_input, user.actor, expected=expected)
    except Conflict as conflict:
        return _page(
            request, database, settings, study_instance_uid, gettext(str(conflict)), comment
        )
    disclosures.noted = True
    if is_part(request):
        return _page(request, database, settings, study_instance_uid)
    return RedirectResponse(f"/studies/{study_instance_uid}", 303)


@router.get("/next")
@policy(Role.READER)
def lead_on(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    now: NowDep,
    after: str | None = None,
    but: str | None = None,
) -> Response:
    """Lead to the unread study that comes next; to the list when there is none.

    Where others read all of them, the page says so. after: the study where one is. but: as it was
    in older releases: the most urgent one but this.
    """
    with database.read() as session:
        if but is not None:
            uid = most_urgent_unread(session, but=but if UID.fullmatch(but) else None)
        else:
            after = after if after and UID.fullmatch(after) else None
            others = read_by_others(session, user.account, now)
            study = next_unread(session, after=after, others=others)
            uid = study.study_instance_uid if study else None
            if study is not None and study.reason is NextReason.READ_BY_OTHERS:
                readers = readers_by_study(session, now, [study.study_instance_uid])
                text = reader_text(readers.get(study.study_instance_uid, ()), user.account)
                context = {"next": study, "readers": text}
                return TEMPLATES.TemplateResponse(request, "read_by_others.html", context)
    return RedirectResponse(f"/studies/{uid}" if uid else "/", 307)


def _page(
    request: Request,
    database: Database,
    settings: Settings,
    study_instance_uid: str,
    message: str = "",
    comment: str = "",
) -> Response:
    """The page, or the part of it that a verdict changes. message: why one was not taken."""
    now = datetime.now(UTC)
    display, account = settings.display(now, to_reader=True), request.state.principal.account
    page = _read_page(database, study_instance_uid, display, account, now)
    if page is None:
        return TEMPLATES.TemplateResponse(request, "study_not_found.html", status_code=404)
    context = _context(page, settings, now) | {
        "message": message,
        "comment": comment,
        # A verdict was just taken: what comes next is the way on.
        "onward": is_part(request) and not message,
    }
    name = "submitted_verdict.html" if is_part(request) else "study.html"
    return TEMPLATES.TemplateResponse(request, name, context, 409 if message else 200)


def _read_page(
    database: Database,
    study_instance_uid: str,
    display: DisplayContext,
    account: str | None,
    now: datetime,
) -> StudyPage | None:
    if not UID.fullmatch(study_instance_uid):
        return None
    with database.read() as session:
        detail = study_detail(session, study_instance_uid, display=display)
        if detail is None:
            return None
        return StudyPage(
            detail,
            first_view(session, study_instance_uid),
            other_studies(session, study_instance_uid, display=display),
            adjacent_studies(
                session,
                study_instance_uid,
                which=WorklistFilter(unread=True),
                order=READING_ORDER,
            ),
            _next_film(
                session,
                study_instance_uid,
                read_by_others(session, account, now),
                by_score=not display.hides_ai,
            ),
            escalation_of(session, study_instance_uid),
        )


def _next_film(
    session: Session, study_instance_uid: str, others: Collection[str], *, by_score: bool
) -> str | None:
    study = next_unread(session, after=study_instance_uid, others=others)
    if study is None:
        return None
    return opening_film(session, study.study_instance_uid, by_score=by_score)


def _context(page: StudyPage, settings: Settings, now: datetime) -> dict[str, Any]:
    """The values that the templates name."""
    detail, zone = page.detail, settings.zone
    study = detail.study
    return {
        "study": study,
        "patient": patient_name(study),
        "order": order_line(study),
        "facts": facts(study, now, zone),
        "choices": choices(study),
        "verdicts": [verdict_row(each, zone) for each in reversed(detail.verdicts)],
        "most_comment": MOST_COMMENT,
        "scores": image_scores(study.images, detail.scores, zone),
        "steps": timeline(detail, page.opened, zone),
        "times": times(detail, page.opened),
        "others": [other_study_row(other, zone) for other in page.others],
        "adjacent_studies": page.adjacent_studies,
        "pacs": pacs_link(settings.viewer_url, study),
        "film": film_study(detail, zone, earlier_than(study, page.others)),
        "verdict_on": verdict_on(study, zone),
        "read_elsewhere": "" if study.verdict else read_elsewhere(study),
        "reported": read_elsewhere(study),
        "reported_at": minute(study.reported_at, zone) if study.reported_at else "",
        "next_film": page.next_film,
        "escalation": page.escalation,
        "escalated": minute(page.escalation.at, zone) if page.escalation else "",
        "zone": zone.key,
    }
