"""The worklist as a page: the list, and what it asks for again when something happened."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.glance import MOST, any_study, glance, institutions
from db.notices import NoticeView, inbox_notices
from db.session import Database
from db.worklist import reading_page
from ingest.disk import intake_room
from readfirst.notices import NoticeCode
from readfirst.settings import Settings
from worklist.pages.asked import AskedAgain
from worklist.pages.rows import page_rows
from worklist.pages.templates import TEMPLATES

Address = Annotated[AskedAgain, Query()]
#: Words of a name or a number: in the body, since addresses are logged and remembered.
Text = Annotated[str | None, Form(max_length=200, pattern=r"^[^\x00]*$")]


def add_worklist_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page; its list alone, for when it asks again; and both with a text."""

    def shown(asked: AskedAgain, text: str | None) -> dict[str, Any]:
        now = datetime.now(UTC)
        after, before = asked.places()
        with database.read() as session:
            found = reading_page(
                session,
                limit=asked.rows,
                which=asked.which(now, settings.zone, text),
                order=asked.order,
                after=after,
                before=before,
                through=asked.through,
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(now),
                overdue=settings.overdue(now),
            )
            return {
                "asked": asked,
                "text": text,
                "rows": page_rows(found.studies, now, settings.zone),
                "previous_page": asked.page(before=found.start),
                "next_page": asked.page(cursor=found.end),
                "glance": glance(session),
                "most": MOST,
                "any_study": bool(found.studies) or any_study(session),
                "sites": institutions(session),
                "banners": banners(settings, inbox_notices(session)),
                "inbox": settings.inbox_path,
            }

    def whole(request: Request, asked: AskedAgain, text: str | None = None) -> Response:
        context = shown(asked, text)
        if asked.before and not context["previous_page"]:
            # The first page, by its own address, so that it is full; sent again with its text.
            return RedirectResponse(asked.address(), 307)
        return TEMPLATES.TemplateResponse(request, "worklist.html", context)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, asked: Address) -> Response:
        return whole(request, asked)

    @app.post("/", response_class=HTMLResponse, include_in_schema=False)
    def search(request: Request, asked: Address, text: Text = None) -> Response:
        return whole(request, asked, text)

    @app.get("/rows", response_class=HTMLResponse, include_in_schema=False)
    def again(request: Request, asked: Address) -> Response:
        return TEMPLATES.TemplateResponse(request, "list.html", shown(asked, None))

    @app.post("/rows", response_class=HTMLResponse, include_in_schema=False)
    def search_again(request: Request, asked: Address, text: Text = None) -> Response:
        return TEMPLATES.TemplateResponse(request, "list.html", shown(asked, text))


def banners(settings: Settings, notices: Sequence[NoticeView]) -> list[str]:
    """What everybody who looks at the worklist must know: a sentence each."""
    room = intake_room(settings)
    said = [] if room.enough else [room.sentence]
    gone = [notice.reason for notice in notices if notice.code == NoticeCode.INBOX_GONE]
    if notices and not gone:
        said.append(f"{len(notices)} left in the inbox and not taken: `readfirst inbox` says why.")
    return said + gone
