"""Two ensembles on the site's own films: figures, and the studies whose flag differs."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.ensembles.comparison import (
    ChangedStudy,
    EnsembleComparison,
    FlagChange,
    changed_studies,
    compare_ensembles,
)
from db.ensembles.versions import known_ensembles
from db.session import Database
from readfirst.access.roles import Role
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.studies.findings import finding_text
from worklist.api.cursors import next_page, of_row, row_id
from worklist.api.figure_parameters import Version
from worklist.api.parameters import Cursor, Limit
from worklist.http.problems import as_problem
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()
#: Studies of each list on the page; the API gives all.
ON_THE_PAGE = 50
FIGURE_TEXTS = {
    "auc": "ROC AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "brier": "Brier score (less is better)",
    "ece": "Calibration error (less is better)",
}
CHANGE_TEXTS = {
    FlagChange.NEW: "Newly flagged by {second}",
    FlagChange.WITHDRAWN: "No longer flagged by {second}",
}

First = Annotated[Version, Query(description="The ensemble version that is compared with.")]
Second = Annotated[Version, Query(description="The other ensemble version.")]
Change = Annotated[FlagChange, Query(description="In which way the flags differ.")]


@dataclass(frozen=True, slots=True)
class ChangedStudies:
    """A page of studies whose flag differs, the latest first."""

    studies: tuple[ChangedStudy, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


@page.get("/admin/ensembles/compare", name="admin_comparison")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def comparison_page(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    first: Version | None = None,
    second: Version | None = None,
) -> Response:
    """The page. Without versions: the active ensemble, and the latest in shadow."""
    with database.read() as session:
        rows = known_ensembles(session).values()
        states = {row.version: row.state for row in rows}
    first = first or _first_of(states, EnsembleState.ACTIVE)
    second = second or _first_of(states, EnsembleState.SHADOW)
    context: dict[str, object] = {
        "versions": sorted(states),
        "states": states,
        "first": first,
        "second": second,
        "zone": settings.zone,
        "figure_texts": FIGURE_TEXTS,
        "finding_text": finding_text,
        "wrong": None,
    }
    if first and second:
        try:
            context |= _compared(database, settings, first, second)
        except Misconfigured as refusal:
            context["wrong"] = str(refusal)
    status = 422 if context["wrong"] else 200
    return TEMPLATES.TemplateResponse(request, "admin/comparison.html", context, status_code=status)


@api.get(
    "/ensembles/comparison",
    operation_id="compareEnsembles",
    response_model=EnsembleComparison,
    responses=NOT_MODIFIED,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def comparison(
    request: Request, database: DatabaseDep, settings: SettingsDep, first: First, second: Second
) -> Response:
    """Two ensembles on the films that both have scored: flags, readers' verdicts, and cost."""
    with database.read() as session, as_problem():
        compared = compare_ensembles(session, first, second, prevalence=settings.prevalence)
    return answer_json(request, compared)


@api.get(
    "/ensembles/comparison/studies",
    operation_id="getChangedStudies",
    response_model=ChangedStudies,
    responses=ROWS,
)
@policy(Role.ADMIN, audit=AuditAction.LIST_VIEWED)
def changed(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    first: First,
    second: Second,
    change: Change,
    limit: Limit = 100,
    cursor: Cursor = None,
    wanted: Wanted = None,
) -> Response:
    """The studies that one ensemble flags and the other does not, the latest first."""
    before = row_id(cursor) if cursor else None
    with as_problem():
        rows = _changed(database, settings, first, second, change, limit + 1, before)
    studies = tuple(rows[:limit])
    end = of_row(studies[-1].number) if len(rows) > limit else None
    whole, further = ChangedStudies(studies, end), next_page(request, end)
    return answer_rows(request, wanted, ChangedStudy, studies, whole=whole, next_page=further)


def _first_of(states: dict[str, EnsembleState], state: EnsembleState) -> str | None:
    return next((version for version in states if states[version] is state), None)


def _compared(database: Database, settings: Settings, first: str, second: str) -> dict[str, object]:
    """Return what the page has of two ensembles. Raises Misconfigured."""
    with database.read() as session:
        compared = compare_ensembles(session, first, second, prevalence=settings.prevalence)
    changes = [
        (
            change,
            gettext(CHANGE_TEXTS[change]).format(second=second),
            _changed(database, settings, first, second, change, ON_THE_PAGE),
            {FlagChange.NEW: compared.flags.new}.get(change, compared.flags.withdrawn),
        )
        for change in FlagChange
    ]
    return {"compared": compared, "changes": changes}


def _changed(
    database: Database,
    settings: Settings,
    first: str,
    second: str,
    change: FlagChange,
    limit: int,
    before: int | None = None,
) -> list[ChangedStudy]:
    with database.read() as session:
        return changed_studies(
            session,
            first,
            second,
            change,
            limit=limit,
            before=before,
            prevalence=settings.prevalence,
        )
