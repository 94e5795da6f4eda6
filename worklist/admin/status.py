"""The state of the site: checks, parts, what waits, the inbox, and the last film of each source."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.access.audit import AuditAction
from db.ensembles.outlook import Outlook, outlook, outlook_sentence
from db.inbox.inbox_issues import InboxIssueRecord, inbox_issues
from db.monitoring.queue_metrics import oldest_waiting
from db.session import Database
from db.site.heartbeats import PartRecord, parts
from db.site.last_films import SourceRecord, last_films
from db.worklist.queries import counts
from ingest.inbox.disk import intake_disk_space
from readfirst.access.roles import Role
from readfirst.domain import ImageState
from readfirst.formatting import short_duration
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.nights.config import night_plan
from readfirst.settings import Settings
from readfirst.site.checks import CHECK_WORDS, CheckResult
from readfirst.site.parts import Part
from worklist.admin.dependencies import LiveChecksDep
from worklist.http.responses import NOT_MODIFIED, answer_json
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, NowDep, SettingsDep
from worklist.services.study_texts import minute
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()

#: Of the inbox, so many files are listed; `readfirst inbox` has them all.
MOST_ISSUES = 20
ALWAYS = (Part.PAGE, Part.INGESTER, Part.PREPARE, Part.SCORE, Part.CLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRecord:
    """Images in one state of work, and the seconds for which the oldest has been here."""

    state: ImageState
    images: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRecord:
    """The fuller of the disks that intake writes to: bytes that are free, and that must be."""

    folder: str
    free_bytes: int
    least_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """The site as it is now. Without the database, all but `checks` and `disk` is empty.

    outlook: what is left for the nights, and until when; null before the first film.
    """

    at: datetime
    checks: tuple[CheckResult, ...]
    parts: tuple[PartRecord, ...]
    queue: tuple[QueueRecord, ...]
    disk: DiskRecord
    inbox: tuple[InboxIssueRecord, ...]
    inbox_total: int
    last_films: tuple[SourceRecord, ...]
    outlook: Outlook | None


def current_status(
    database: DatabaseDep, settings: SettingsDep, checks: LiveChecksDep, at: NowDep
) -> SiteStatus:
    """The state of the site at the time of a request."""
    return site_status(database, settings, checks.results(), at)


StatusDep = Annotated[SiteStatus, Depends(current_status)]


@page.get("/admin", name="admin_status")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def status_page(request: Request, settings: SettingsDep, status: StatusDep) -> Response:
    """The page."""
    return _answer(request, "admin/status.html", status, settings)


@page.get("/admin/status", name="admin_status_rows")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED, attended=False, each_time=False)
def status_rows(request: Request, settings: SettingsDep, status: StatusDep) -> Response:
    """The page's content, which asks for itself anew."""
    return _answer(request, "admin/status_rows.html", status, settings)


@api.get("/status", operation_id="getSiteStatus", response_model=SiteStatus, responses=NOT_MODIFIED)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def status_document(request: Request, status: StatusDep) -> Response:
    """The state of the site: checks of `readfirst doctor`, parts, queue, disk, inbox, sources."""
    return answer_json(request, status)


def site_status(
    database: Database, settings: Settings, results: list[CheckResult], at: datetime
) -> SiteStatus:
    """Put all together; a database that does not answer leaves the rest."""
    room = intake_disk_space(settings)
    disk = DiskRecord(folder=str(room.folder), free_bytes=room.free, least_bytes=room.least)
    try:
        with database.read() as session:
            issues = inbox_issues(session)
            return SiteStatus(
                at=at,
                checks=tuple(results),
                parts=tuple(parts(session, at, expected_parts(settings))),
                queue=_queue(session, at),
                disk=disk,
                inbox=tuple(issues[:MOST_ISSUES]),
                inbox_total=len(issues),
                last_films=tuple(last_films(session, at)),
                outlook=outlook(session, night_plan(settings), at),
            )
    except SQLAlchemyError:
        return SiteStatus(
            at=at,
            checks=tuple(results),
            parts=(),
            queue=(),
            disk=disk,
            inbox=(),
            inbox_total=0,
            last_films=(),
            outlook=None,
        )


def expected_parts(settings: Settings) -> tuple[Part, ...]:
    """The parts that belong to every running site, and the listeners that are switched on."""
    chosen = {Part.LISTENER: settings.receive, Part.HL7_LISTENER: settings.hl7_port is not None}
    return (*ALWAYS, *(part for part, is_on in chosen.items() if is_on))


def _queue(session: Session, at: datetime) -> tuple[QueueRecord, ...]:
    images = counts(session).images
    return tuple(
        QueueRecord(state=state, images=images[state], oldest_seconds=seconds)
        for state, seconds in oldest_waiting(session, at).items()
    )


def _answer(request: Request, template: str, status: SiteStatus, settings: Settings) -> Response:
    def ago(moment: datetime | None) -> str:
        if moment is None:
            return gettext("never")
        return gettext("{duration} ago").format(duration=short_duration(status.at - moment))

    context = {
        "status": status,
        "check_words": CHECK_WORDS,
        "night": outlook_sentence(status.outlook, settings.zone),
        "zone": settings.zone,
        "ago": ago,
        "minute": minute,
        "duration": lambda seconds: short_duration(timedelta(seconds=seconds)),
        "gibibytes": lambda size: f"{number_text(size / 1024**3, ',.1f')} GiB",
    }
    return TEMPLATES.TemplateResponse(request, template, context)
