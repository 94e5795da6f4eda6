"""The page of what is not scored, and why."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from db.refused import Which, refused_counts, refused_images
from db.session import Database
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from worklist.pages.templates import TEMPLATES

#: Rows of the page; the rest is a filter away.
MOST_ROWS = 100


def add_refused_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page."""

    @app.get("/refused", response_class=HTMLResponse, include_in_schema=False)
    def refused(request: Request, code: RefusalCode | None = None) -> Response:
        with database.read() as session:
            counts = refused_counts(session)
            rows = refused_images(session, limit=MOST_ROWS, which=Which(code=code))
        shown = {
            "rows": rows,
            "counts": counts,
            "total": sum(counts.values()),
            "code": code,
            "zone": settings.zone,
        }
        return TEMPLATES.TemplateResponse(request, "refused.html", shown)
