"""The worklist as a page: the list, and what it asks for again when something happened."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from db.glance import MOST, any_study, glance, institutions
from db.notices import NoticeView, inbox_notices
from db.session import Database
from db.sorting import Position
from db.worklist import ReadingPage, reading_page
from ingest.disk import intake_room
from readfirst.notices import NoticeCode
from readfirst.settings import Settings
from worklist.pages.asked import PAGE_ROWS, Asked, AskedAgain
from worklist.pages.rows import page_rows
from worklist.pages.templates import TEMPLATES

Address = Annotated[Asked, Query()]
AddressAgain = Annotated[AskedAgain, Query()]
#: Words of a name or a number: in the body, since addresses are logged and remembered.
Text = Annotated[str | None, Form(max_length=200, pattern=r"^[^\x00]*$")]


def add_worklist_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page; its list alone, for when it asks again; and both with a text."""

    def shown(
        asked: Asked, text: str | None = None, rows: int = PAGE_ROWS, through: str | None = None
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        after, before = asked.places()
        which = asked.which(now, settings.zone, text)
        with database.read() as session:

            def page(after: Position | None, before: Position | None) -> ReadingPage:
                return reading_page(
                    session,
                    limit=rows,
                    which=which,
                    order=asked.order,
                    after=after,
                    before=before,
                    through=through,
                    prevalence=settings.prevalence,
                    quiet_before=settings.quiet_before(now),
                    overdue=settings.overdue(now),
                )

            found = page(after, before)
            if before and found.start is None:
                # The first page, and so all of it.
                found = page(None, None)
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

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, asked: Address) -> Response:
        return TEMPLATES.TemplateResponse(request, "worklist.html", shown(asked))

    @app.post("/", response_class=HTMLResponse, include_in_schema=False)
    def search(request: Request, asked: Address, text: Text = None) -> Response:
        return TEMPLATES.TemplateResponse(request, "worklist.html", shown(asked, text))

    @app.get("/rows", response_class=HTMLResponse, include_in_schema=False)
    def again(request: Request, asked: AddressAgain) -> Response:
        found = shown(asked, None, asked.rows, asked.through)
        return TEMPLATES.TemplateResponse(request, "list.html", found)

    @app.post("/rows", response_class=HTMLResponse, include_in_schema=False)
    def search_again(request: Request, asked: AddressAgain, text: Text = None) -> Response:
        found = shown(asked, text, asked.rows, asked.through)
        return TEMPLATES.TemplateResponse(request, "list.html", found)


def banners(settings: Settings, notices: Sequence[NoticeView]) -> list[str]:
    """What everybody who looks at the worklist must know: a sentence each."""
    room = intake_room(settings)
    said = [] if room.enough else [room.sentence]
    gone = [notice.reason for notice in notices if notice.code == NoticeCode.INBOX_GONE]
    if notices and not gone:
        said.append(f"{len(notices)} left in the inbox and not taken: `readfirst inbox` says why.")
    return said + gone
