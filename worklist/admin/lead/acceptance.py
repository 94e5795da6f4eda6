"""Acceptance of an ensemble, for a lead: the reports that are kept, shown and signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.ensembles.acceptance import (
    VERDICTS,
    AcceptanceRecord,
    acceptance,
    acceptances,
    keep_report,
    labels_text,
    make_report,
    sign,
    verdict_labels,
)
from db.ensembles.versions import active_ensemble, required_active
from db.session import Database
from models.acceptance import promise_of
from models.manifest import available_manifest
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from worklist.api.cursors import GREATEST_ID
from worklist.http.problems import NOT_FOUND, TAKEN, as_problem
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.services.acceptance_report import FIGURES, OUTCOMES, as_html
from worklist.services.dependencies import CurrentUser, DatabaseDep, NowDep, SettingsDep
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()
Number = Annotated[int, Path(ge=1, le=GREATEST_ID)]


@dataclass(frozen=True, slots=True)
class Acceptances:
    """The latest acceptance reports, the latest first. active: the ensemble that scores now."""

    active: str | None
    reports: tuple[AcceptanceRecord, ...]


@page.get("/admin/acceptance", name="admin_acceptance")
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def acceptance_page(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The page."""
    return _page(request, database, settings)


@page.post("/admin/acceptance", dependencies=[OwnForm])
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def make_or_sign(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    at: NowDep,
    number: Annotated[int | None, Form(ge=1, le=GREATEST_ID)] = None,
) -> Response:
    """Sign the report of a number; without one, make a report of the verdicts."""
    try:
        if number is None:
            made = _make(database, settings, user.actor.account, at)
            text = gettext("Report {number} is made of {studies} studies.")
            done = text.format(number=made.number, studies=made.report.whole.studies)
        else:
            with database.write() as session:
                sign(session, number, user.actor, at)
            done = gettext("Report {number} is signed.").format(number=number)
    except Misconfigured as refusal:
        return _page(request, database, settings, wrong=str(refusal))
    return _page(request, database, settings, done=done)


@page.get("/admin/acceptance/{number}.html", name="admin_acceptance_report")
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def report_file(database: DatabaseDep, settings: SettingsDep, number: Number) -> Response:
    """The report as a file, which needs nothing from here."""
    with database.read() as session:
        record = acceptance(session, number)
    if record is None:
        raise HTTPException(404, "There is no such report.")
    name = f"acceptance-{record.ensemble_version}-{number}.html"
    return Response(
        as_html(record, settings.zone),
        media_type="text/html",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@api.get(
    "/acceptances",
    operation_id="getAcceptances",
    response_model=Acceptances,
    responses=NOT_MODIFIED,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def reports(request: Request, database: DatabaseDep) -> Response:
    """The latest acceptance reports with their figures, and who signed them."""
    return answer_json(request, _acceptances(database))


@api.post(
    "/acceptances",
    operation_id="makeAcceptance",
    response_model=AcceptanceRecord,
    status_code=201,
    responses=TAKEN,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def make(user: CurrentUser, database: DatabaseDep, settings: SettingsDep, at: NowDep) -> Response:
    """Measure the active ensemble on the site's verdicts. `readfirst acceptance` takes a table."""
    with as_problem():
        record = _make(database, settings, user.actor.account, at)
    return Response(as_json(record), 201, media_type="application/json")


@api.post(
    "/acceptances/{number}/signature",
    operation_id="signAcceptance",
    response_model=AcceptanceRecord,
    responses=NOT_FOUND | TAKEN,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def sign_report(user: CurrentUser, database: DatabaseDep, at: NowDep, number: Number) -> Response:
    """Accept the ensemble for this site: once, by a named account. It is in the audit log."""
    with database.write() as session:
        if acceptance(session, number) is None:
            raise HTTPException(404, "There is no such report.")
        with as_problem():
            record = sign(session, number, user.actor, at)
    return Response(as_json(record), media_type="application/json")


def _make(
    database: Database, settings: Settings, account: str | None, at: datetime
) -> AcceptanceRecord:
    """Raises Misconfigured without an ensemble, its files, or enough verdicts."""
    with database.write() as session:
        active = required_active(session)
        promise = promise_of(available_manifest(active.version, settings.ensembles_path))
        labels = verdict_labels(session)
        report = make_report(session, promise, labels, VERDICTS, at, settings.prevalence)
        return keep_report(session, report, account)


def _acceptances(database: Database) -> Acceptances:
    with database.read() as session:
        active = active_ensemble(session)
        return Acceptances(active.version if active else None, tuple(acceptances(session)))


def _page(
    request: Request,
    database: Database,
    settings: Settings,
    *,
    done: str | None = None,
    wrong: str | None = None,
) -> Response:
    context = {
        "site": _acceptances(database),
        "labels_text": labels_text,
        "figures": FIGURES,
        "outcomes": OUTCOMES,
        "zone": settings.zone,
        "done": done,
        "wrong": wrong,
    }
    status = 422 if wrong else 200
    return TEMPLATES.TemplateResponse(request, "admin/acceptance.html", context, status_code=status)
