"""The worklist as a page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from db.filters import WorklistFilter
from db.notices import NoticeView, inbox_notices
from db.session import Database
from db.worklist import counts, reading_order
from ingest.disk import intake_room
from readfirst.notices import NoticeCode
from readfirst.settings import Settings
from worklist.pages.rows import PageRow, page_rows
from worklist.pages.templates import TEMPLATES

#: Rows of the page; the rest is a filter away.
PAGE_ROWS = 100


def add_worklist_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page and its rows, which it asks for again and again."""

    def context(flagged: bool) -> dict[str, Any]:
        now = datetime.now(UTC)
        with database.read() as session:
            studies = reading_order(
                session,
                limit=PAGE_ROWS,
                which=WorklistFilter(flagged=flagged),
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(now),
            )
            totals = counts(session)
            notices = inbox_notices(session)
        rows: list[PageRow] = page_rows(studies, now, settings.zone)
        return {
            "rows": rows,
            "counts": totals,
            "flagged": flagged,
            "now": now.astimezone(settings.zone),
            "inbox": settings.inbox_path,
            "banners": banners(settings, notices),
        }

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, flagged: bool = False) -> Response:
        return TEMPLATES.TemplateResponse(request, "worklist.html", context(flagged))

    @app.get("/rows", response_class=HTMLResponse, include_in_schema=False)
    def rows(request: Request, flagged: bool = False) -> Response:
        return TEMPLATES.TemplateResponse(request, "rows.html", context(flagged))


def banners(settings: Settings, notices: Sequence[NoticeView]) -> list[str]:
    """What everybody who looks at the worklist must know: a sentence each."""
    room = intake_room(settings)
    said = [] if room.enough else [room.sentence]
    gone = [notice.reason for notice in notices if notice.code == NoticeCode.INBOX_GONE]
    if notices and not gone:
        said.append(f"{len(notices)} left in the inbox and not taken: `readfirst inbox` says why.")
    return said + gone
