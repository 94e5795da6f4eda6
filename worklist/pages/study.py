"""The page of one study: what is known of it around its films, and what its reader says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.audit import FirstView, first_view
from db.filters import WorklistFilter
from db.neighbours import Neighbours, most_urgent_unread, neighbours
from db.patients import OtherStudy, other_studies
from db.session import Database
from db.sorting import READING_ORDER
from db.verdicts import MOST_COMMENT, Opinion, Seen, give
from db.views import StudyDetail
from db.worklist import study_detail
from readfirst.errors import Conflict
from readfirst.findings import Finding
from readfirst.settings import Settings
from worklist.api.cursors import GREATEST_ID
from worklist.api.parameters import NO_NUL
from worklist.pages.film import film_images
from worklist.pages.score_bars import image_scores
from worklist.pages.study_facts import (
    choices,
    facts,
    pacs_link,
    patient_name,
    shown_other,
    shown_verdict,
)
from worklist.pages.templates import TEMPLATES, is_part
from worklist.pages.timeline import timeline, times
from worklist.security.answers import forbidden
from worklist.security.visitor import Who, same

#: PS3.5 9.1.
UID = re.compile(r"[0-9.]{1,64}")
OPINIONS = {
    "pneumonia": Opinion(finding=Finding.PNEUMONIA),
    "no_pneumonia": Opinion(finding=Finding.NO_PNEUMONIA),
    "cannot_tell": Opinion(finding=Finding.CANNOT_TELL),
    "read": Opinion(),
    "unread": Opinion(withdrawn=True),
}
Count = Annotated[int, Form(ge=0, le=GREATEST_ID)]


@dataclass(frozen=True, slots=True)
class Known:
    """All that the page tells of one study."""

    detail: StudyDetail
    opened: FirstView | None
    others: list[OtherStudy]
    neighbours: Neighbours


def add_study_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page, the verdict that it sends, and the way to the next unread study."""

    def known(study_instance_uid: str, now: datetime) -> Known | None:
        if not UID.fullmatch(study_instance_uid):
            return None
        with database.read() as session:
            detail = study_detail(
                session,
                study_instance_uid,
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(now),
                overdue=settings.overdue(now),
            )
            # A study is empty after its only image turned out to belong to another one.
            if detail is None or not detail.study.images:
                return None
            return Known(
                detail,
                first_view(session, study_instance_uid),
                other_studies(session, study_instance_uid, prevalence=settings.prevalence),
                neighbours(
                    session,
                    study_instance_uid,
                    which=WorklistFilter(unread=True),
                    order=READING_ORDER,
                ),
            )

    def page(
        request: Request, study_instance_uid: str, said: str = "", comment: str = ""
    ) -> Response:
        """The page, or the part of it that a verdict changes. said: why one was not taken."""
        now = datetime.now(UTC)
        found = known(study_instance_uid, now)
        if found is None:
            return TEMPLATES.TemplateResponse(request, "no_study.html", status_code=404)
        shown = _shown(found, settings, now) | {
            "said": said,
            "comment": comment,
            # A verdict was just taken: what comes next is the way on.
            "onward": is_part(request) and not said,
        }
        name = "verdict_given.html" if is_part(request) else "study.html"
        return TEMPLATES.TemplateResponse(request, name, shown, 409 if said else 200)

    @app.get("/studies/{study_instance_uid}", response_class=HTMLResponse, include_in_schema=False)
    def study(request: Request, study_instance_uid: str) -> Response:
        return page(request, study_instance_uid)

    @app.post("/studies/{study_instance_uid}/verdict", include_in_schema=False)
    def verdict(
        request: Request,
        who: Who,
        study_instance_uid: str,
        say: Annotated[str, Form(max_length=32)],
        verdicts_seen: Count,
        images_seen: Count,
        comment: Annotated[str, Form(max_length=MOST_COMMENT, pattern=NO_NUL)] = "",
        token: Annotated[str, Form(alias="form_token")] = "",
    ) -> Response:
        if not same(token, who.form_token):
            return forbidden("This form is too old: load the page again.")
        if say not in OPINIONS or not UID.fullmatch(study_instance_uid):
            raise HTTPException(422, "This is no verdict.")
        stated = OPINIONS[say]
        opinion = Opinion(finding=stated.finding, withdrawn=stated.withdrawn, comment=comment)
        seen = Seen(verdicts_seen, images_seen)
        try:
            with database.write() as session:
                give(session, study_instance_uid, opinion, who.actor, datetime.now(UTC), seen=seen)
        except Conflict as conflict:
            return page(request, study_instance_uid, str(conflict), comment)
        if is_part(request):
            return page(request, study_instance_uid)
        return RedirectResponse(f"/studies/{study_instance_uid}", 303)

    @app.get("/next", include_in_schema=False)
    def next_unread(but: str | None = None) -> Response:
        """To the unread study that is to be read first; to the list when there is none."""
        with database.read() as session:
            uid = most_urgent_unread(session, but=but if but and UID.fullmatch(but) else None)
        return RedirectResponse(f"/studies/{uid}" if uid else "/", 307)


def _shown(found: Known, settings: Settings, now: datetime) -> dict[str, Any]:
    """What the templates name."""
    detail, zone = found.detail, settings.zone
    study = detail.study
    return {
        "study": study,
        "patient": patient_name(study),
        "facts": facts(study, now, zone),
        "choices": choices(study),
        "verdicts": [shown_verdict(one, zone) for one in reversed(detail.verdicts)],
        "most_comment": MOST_COMMENT,
        "scores": image_scores(study.images, detail.scores, zone),
        "steps": timeline(detail, found.opened, zone),
        "times": times(detail, found.opened),
        "others": [shown_other(one, zone) for one in found.others],
        "neighbours": found.neighbours,
        "pacs": pacs_link(settings.viewer_url, study),
        "film_images": film_images(detail),
    }
