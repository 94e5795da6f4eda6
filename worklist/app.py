"""The page and the API of one ReadFirst: a FastAPI application over the database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from sqlalchemy.exc import DBAPIError

from db.migrate import is_current, upgrade
from db.session import Database, open_database
from db.views import RefusedView, StudyDetail, StudyView
from db.worklist import counts, reading_order, refused_images, study_detail
from readfirst import DISCLAIMER, __version__
from readfirst.prepared import PreparedImages
from readfirst.settings import Settings
from worklist.presentation import PageRow, page_rows

HERE = Path(__file__).parent
#: Nothing is loaded from elsewhere, and nothing inline runs.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
#: Rows of the page; the rest is a filter away.
PAGE_ROWS = 100

Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows.")]
Flagged = Annotated[bool, Query(description="Flagged studies only.")]
Since = Annotated[datetime | None, Query(description="Only what arrived then or later, with zone.")]


def make_app(settings: Settings) -> FastAPI:
    """The application; the database is opened when it starts."""
    database = open_database(settings.database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        settings.home_path.mkdir(parents=True, exist_ok=True)
        upgrade(database)
        yield
        database.dispose()

    app = FastAPI(
        title="ReadFirst",
        version=__version__,
        description=DISCLAIMER,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.middleware("http")(_add_security_headers)
    app.add_exception_handler(DBAPIError, _database_unavailable)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _add_page(app, database, settings)
    _add_api(app, database, settings.prevalence)
    _add_images(app, PreparedImages(settings.prepared_path))
    return app


def _add_page(app: FastAPI, database: Database, settings: Settings) -> None:
    templates = Jinja2Templates(directory=HERE / "templates")

    def context(flagged: bool) -> dict[str, Any]:
        now = datetime.now(UTC)
        with database.read() as session:
            studies = reading_order(
                session,
                limit=PAGE_ROWS,
                flagged_only=flagged,
                prevalence=settings.prevalence,
            )
            totals = counts(session)
        rows: list[PageRow] = page_rows(studies, now, settings.zone)
        return {
            "rows": rows,
            "counts": totals,
            "flagged": flagged,
            "now": now.astimezone(settings.zone),
            "disclaimer": DISCLAIMER,
            "inbox": settings.inbox_path,
        }

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, flagged: bool = False) -> Response:
        return templates.TemplateResponse(request, "worklist.html", context(flagged))

    @app.get("/rows", response_class=HTMLResponse, include_in_schema=False)
    def rows(request: Request, flagged: bool = False) -> Response:
        return templates.TemplateResponse(request, "rows.html", context(flagged))


def _add_api(app: FastAPI, database: Database, prevalence: float | None) -> None:
    @app.get("/api/worklist")
    def worklist(
        limit: Limit = 100, flagged: Flagged = False, since: Since = None
    ) -> list[StudyView]:
        """The studies in reading order, the most urgent first, each with why it stands there."""
        if since is not None and since.tzinfo is None:
            raise HTTPException(422, "`since` needs a zone, as 2026-01-31T08:00:00+01:00.")
        with database.read() as session:
            return reading_order(
                session,
                limit=limit,
                flagged_only=flagged,
                received_since=since,
                prevalence=prevalence,
            )

    @app.get("/api/studies/{study_instance_uid}")
    def study(study_instance_uid: str) -> StudyDetail:
        """One study: images, scores of every ensemble version, events."""
        with database.read() as session:
            detail = study_detail(session, study_instance_uid, prevalence=prevalence)
        if detail is None:
            raise HTTPException(404, "No study has this Study Instance UID.")
        return detail

    @app.get("/api/refused")
    def refused(limit: Limit = 100) -> list[RefusedView]:
        """What was not scored, with code and sentence, the latest first."""
        with database.read() as session:
            return refused_images(session, limit=limit)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Well when the database answers with the schema of this release."""
        if not is_current(database):
            raise HTTPException(503, "The database has another schema.")
        return {"status": "ok", "version": __version__}


def _add_images(app: FastAPI, prepared: PreparedImages) -> None:
    @app.get("/thumbnails/{sha256}.png", include_in_schema=False)
    def thumbnail(sha256: str) -> FileResponse:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise HTTPException(404)
        path = prepared.thumbnail(sha256)
        if not path.is_file():
            raise HTTPException(404)
        # Named by content: it never changes.
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        return FileResponse(path, media_type="image/png", headers=headers)


async def _add_security_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(SECURITY_HEADERS)
    if not request.url.path.startswith(("/static/", "/thumbnails/")):
        response.headers["Cache-Control"] = "no-store"
    return response


def _database_unavailable(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database does not answer."}, status_code=503)
