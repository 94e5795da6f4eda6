"""The API: what the page shows, as JSON."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query

from db.migrate import is_current
from db.notices import NoticeView, inbox_notices
from db.refused import Which, refused_counts, refused_images
from db.session import Database
from db.views import RefusedView, StudyDetail, StudyView
from db.worklist import reading_order, study_detail
from ingest.disk import intake_room
from readfirst import __version__
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings

Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows.")]
Flagged = Annotated[bool, Query(description="Flagged studies only.")]
Since = Annotated[datetime | None, Query(description="Only what arrived then or later, with zone.")]
Code = Annotated[RefusalCode | None, Query(description="Only what was refused by this code.")]


def add_api(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the routes; probabilities are stated for the site's prevalence, where there is one."""

    @app.get("/api/worklist")
    def worklist(
        limit: Limit = 100, flagged: Flagged = False, since: Since = None
    ) -> list[StudyView]:
        """The studies in reading order, the most urgent first, each with why it stands there."""
        with database.read() as session:
            return reading_order(
                session,
                limit=limit,
                flagged_only=flagged,
                received_since=_with_zone(since),
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(datetime.now(UTC)),
            )

    @app.get("/api/studies/{study_instance_uid}")
    def study(study_instance_uid: str) -> StudyDetail:
        """One study: images, scores of every ensemble version, events."""
        with database.read() as session:
            detail = study_detail(
                session,
                study_instance_uid,
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(datetime.now(UTC)),
            )
        if detail is None:
            raise HTTPException(404, "No study has this Study Instance UID.")
        return detail

    @app.get("/api/refused")
    def refused(limit: Limit = 100, code: Code = None, since: Since = None) -> list[RefusedView]:
        """What was not scored, with code and sentence, the latest first."""
        which = Which(code=code, since=_with_zone(since))
        with database.read() as session:
            return refused_images(session, limit=limit, which=which)

    @app.get("/api/refused/counts")
    def refused_by_code(since: Since = None) -> dict[RefusalCode, int]:
        """How many images were refused by each code that occurs, the most frequent first."""
        with database.read() as session:
            return refused_counts(session, which=Which(since=_with_zone(since)))

    @app.get("/api/inbox")
    def inbox() -> list[NoticeView]:
        """What lies in the inbox and is not taken, and why."""
        with database.read() as session:
            return inbox_notices(session)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Well when the database answers with the schema of this release.

        A pause of intake is said and is no fault of the server: a new start would not end it.
        """
        if not is_current(database):
            raise HTTPException(503, "The database has another schema.")
        intake = "open" if intake_room(settings).enough else "paused"
        return {"status": "ok", "version": __version__, "intake": intake}


def _with_zone(since: datetime | None) -> datetime | None:
    if since is not None and since.tzinfo is None:
        raise HTTPException(422, "`since` needs a zone, as 2026-01-31T08:00:00+01:00.")
    return since
