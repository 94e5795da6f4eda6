"""The thresholds of an ensemble, for a lead: what another one would change, and the change."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy.orm import Session

from db.access.audit import AuditAction
from db.ensembles.changes import change_threshold, roll_back_threshold
from db.ensembles.threshold_report import (
    Evidence,
    ThresholdChoice,
    ThresholdReport,
    threshold_report,
)
from db.ensembles.thresholds import (
    ThresholdRecord,
    previous_threshold,
    thresholds_of,
    thresholds_of_others,
)
from db.ensembles.versions import known_ensembles, named_or_active
from db.session import Database
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.populations import population_text
from readfirst.tasks.names import TaskName
from worklist.http.problems import TAKEN, as_problem
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.security.principal import Principal
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    NotifierDep,
    NowDep,
    SettingsDep,
)
from worklist.services.forms import FormText, OwnForm
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()
#: The thresholds differ by less where nothing has changed since the preview.
SAME = 1e-9
#: The ways to choose a threshold, and the cases that it is chosen from, as the page names them.
METHODS = {
    ThresholdMethod.SENSITIVITY: "Sensitivity of at least",
    ThresholdMethod.SPECIFICITY: "Specificity of at least",
    ThresholdMethod.MISS_COST: "False alarms that one miss weighs",
    ThresholdMethod.VALUE: "This threshold",
}
EVIDENCE = {
    Evidence.REFERENCE: "the ensemble’s held-out films",
    Evidence.VERDICTS: "the verdicts of this site",
}
#: An empty field of a form says nothing.
OrEmpty = BeforeValidator(lambda value: value or None)
Target = Annotated[float, Field(gt=0, le=1000)]
Prevalence = Annotated[float, Field(gt=0, lt=1)]
EnsembleName = Annotated[str | None, OrEmpty, Query(max_length=64)]


class ThresholdChange(StrEnum):
    """The changes of thresholds."""

    CHOOSE = "choose"
    ROLL_BACK = "roll_back"


class WantedThreshold(BaseModel):
    """A threshold that somebody wants. ensemble: the active one, if it is not named.

    method: `sensitivity`, `specificity`, `miss_cost` (target: false alarms that a miss weighs) or
    `value`. evidence: the cases it is chosen from. prevalence: of the site's settings, if it is not
    given. proposed: what a report proposed before; if another value comes out now, nothing changes.
    """

    ensemble: str | None = Field(None, max_length=64)
    method: ThresholdMethod = ThresholdMethod.VALUE
    target: Target
    evidence: Evidence = Evidence.REFERENCE
    prevalence: Prevalence | None = None
    proposed: Annotated[float, Field(gt=0, lt=1)] | None = None


class WantedThresholdChange(BaseModel):
    """A change: another threshold (`choose`, with `threshold`), or the one before (`roll_back`)."""

    change: ThresholdChange
    ensemble: str | None = Field(None, max_length=64)
    threshold: WantedThreshold | None = None


@dataclass(frozen=True, slots=True)
class EnsembleThresholds:
    """The thresholds of an ensemble, the latest version first.

    thresholds: of its first population, for which a site chooses. previous: the version that a
    roll-back leads to; null where there is none. others: of its other populations, as it came.
    """

    ensemble_version: str
    thresholds: tuple[ThresholdRecord, ...]
    previous: int | None
    others: tuple[ThresholdRecord, ...] = ()


async def wanted_of_query(
    ensemble: EnsembleName = None,
    method: Annotated[ThresholdMethod | None, OrEmpty, Query()] = None,
    target: Annotated[Target | None, OrEmpty, Query()] = None,
    evidence: Evidence = Evidence.REFERENCE,
    prevalence: Annotated[Prevalence | None, OrEmpty, Query()] = None,
) -> WantedThreshold | None:
    """The threshold that a query wants; None if it names none."""
    if method is None or target is None:
        return None
    return WantedThreshold(
        ensemble=ensemble, method=method, target=target, evidence=evidence, prevalence=prevalence
    )


Wanted = Annotated[WantedThreshold | None, Depends(wanted_of_query)]


@page.get("/admin/thresholds", name="admin_thresholds")
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def thresholds_page(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    at: NowDep,
    wanted: Wanted,
    ensemble: EnsembleName = None,
) -> Response:
    """The page; with a threshold in the query, what that would change."""
    return _page(request, database, settings, at, ensemble, wanted=wanted)


@page.post("/admin/thresholds", dependencies=[OwnForm])
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def change_by_form(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    notify: NotifierDep,
    at: NowDep,
    change: Annotated[ThresholdChange, Form()],
    ensemble: FormText = "",
    wanted: FormText = "",
) -> Response:
    """Change the threshold, and say what was done. wanted: as JSON, as the preview had it."""
    try:
        threshold = WantedThreshold.model_validate_json(wanted) if wanted else None
    except ValueError as fault:
        raise HTTPException(422, "This form is broken: load the page again.") from fault
    whole = WantedThresholdChange(change=change, ensemble=ensemble or None, threshold=threshold)
    try:
        with database.write() as session:
            done = _change(session, user, settings, whole, at)
    except Misconfigured as refusal:
        return _page(request, database, settings, at, ensemble or None, wrong=str(refusal))
    notify(TaskName.SWEEP)
    return _page(request, database, settings, at, ensemble or None, done=done)


@api.get(
    "/thresholds",
    operation_id="getThresholds",
    response_model=EnsembleThresholds,
    responses=NOT_MODIFIED,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def thresholds(request: Request, database: DatabaseDep, ensemble: EnsembleName = None) -> Response:
    """Every threshold that an ensemble has had, with its evidence. Default: the active ensemble."""
    with database.read() as session, as_problem():
        return answer_json(request, _thresholds(session, ensemble))


@api.get(
    "/thresholds/report",
    operation_id="getThresholdReport",
    response_model=ThresholdReport,
    responses=NOT_MODIFIED,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def report(
    request: Request, database: DatabaseDep, settings: SettingsDep, at: NowDep, wanted: Wanted
) -> Response:
    """Report what another threshold would change: figures, arrivals, unread studies."""
    if wanted is None:
        raise HTTPException(422, "Name the method and its target.")
    with database.read() as session, as_problem():
        return answer_json(request, _report(session, settings, wanted, at))


@api.post(
    "/thresholds/changes",
    operation_id="changeThreshold",
    response_model=EnsembleThresholds,
    responses=TAKEN,
)
@policy(Role.LEAD, audit=AuditAction.ADMIN_VIEWED)
def change_by_api(
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    notify: NotifierDep,
    at: NowDep,
    wanted: WantedThresholdChange,
) -> Response:
    """Let an ensemble have another threshold, or the one before. Unread studies rank by it at once.

    Scores, verdicts and what is read keep theirs.
    """
    with database.write() as session, as_problem():
        _change(session, user, settings, wanted, at)
        after = _thresholds(session, wanted.ensemble)
    notify(TaskName.SWEEP)
    return Response(as_json(after), media_type="application/json")


def _thresholds(session: Session, ensemble: str | None) -> EnsembleThresholds:
    version = named_or_active(session, ensemble).version
    previous = previous_threshold(session, version)
    return EnsembleThresholds(
        version,
        tuple(thresholds_of(session, version)),
        None if previous is None else previous.version,
        tuple(thresholds_of_others(session, version)),
    )


def _report(
    session: Session, settings: Settings, wanted: WantedThreshold, at: datetime
) -> ThresholdReport:
    choice = ThresholdChoice(
        method=wanted.method,
        target=wanted.target,
        evidence=wanted.evidence,
        prevalence=wanted.prevalence or settings.prevalence,
    )
    return threshold_report(session, named_or_active(session, wanted.ensemble).version, choice, at)


def _change(
    session: Session,
    user: Principal,
    settings: Settings,
    wanted: WantedThresholdChange,
    at: datetime,
) -> str:
    """Make a change and note it. Returns a sentence of what was done. Raises Misconfigured."""
    if wanted.change is ThresholdChange.ROLL_BACK:
        version = named_or_active(session, wanted.ensemble).version
        row = roll_back_threshold(session, user.actor, version, at)
        text = gettext("Threshold {number} of ensemble {version} is active again.")
        return text.format(number=row.version, version=row.ensemble_version)
    if wanted.threshold is None:
        raise Misconfigured(gettext("Name the threshold."))
    report = _report(session, settings, wanted.threshold, at)
    proposed = wanted.threshold.proposed
    if proposed is not None and abs(proposed - report.proposed) > SAME:
        raise Misconfigured(
            gettext("Verdicts came in meanwhile, and another threshold comes out now. Look again.")
        )
    new = report.as_chosen(user.actor.account or "somebody")
    row = change_threshold(session, user.actor, new, at)
    text = gettext("Threshold {number} of ensemble {version} is active.")
    return text.format(number=row.version, version=row.ensemble_version)


def _page(
    request: Request,
    database: Database,
    settings: Settings,
    at: datetime,
    ensemble: str | None,
    *,
    wanted: WantedThreshold | None = None,
    done: str | None = None,
    wrong: str | None = None,
) -> Response:
    context: dict[str, Any] = {"wanted": wanted, "site": None, "report": None}
    with database.read() as session:
        context["versions"] = sorted(known_ensembles(session))
        try:
            context["site"] = _thresholds(session, ensemble)
            if wanted is not None:
                report = _report(session, settings, wanted, at)
                context["report"] = report
                confirmed = wanted.model_copy(update={"proposed": report.proposed})
                context["confirmed"] = confirmed.model_dump_json()
        except Misconfigured as refusal:
            wrong = wrong or str(refusal)
    context |= {
        "methods": METHODS,
        "evidence": EVIDENCE,
        "population_text": population_text,
        "prevalence": settings.prevalence,
        "zone": settings.zone,
        "done": done,
        "wrong": wrong,
    }
    status = 422 if wrong and context["versions"] else 200
    return TEMPLATES.TemplateResponse(request, "admin/thresholds.html", context, status_code=status)
