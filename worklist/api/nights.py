"""The nights in which the site scored again, and what each changed."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from sqlalchemy.orm import Session

from db.access.audit import AuditAction
from db.nights.records import NightRecord, nights
from db.nights.records import find_night as find_row
from db.nights.report import (
    NightChange,
    NightReport,
    NightStudy,
    changed_studies,
    night_report,
)
from readfirst.access.roles import Role
from worklist.api.cursors import GREATEST_ID
from worklist.api.parameters import Limit
from worklist.http.problems import NOT_FOUND
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep

router = APIRouter(tags=["watching"])

NightNumber = Annotated[int, Query(ge=1, le=GREATEST_ID)]
OfPath = Annotated[int, Path(ge=1, le=GREATEST_ID, description="Number of a night.")]
Which = Annotated[NightChange, Query(description="The list.")]


def find_night(session: Session, number: int) -> NightRecord:
    """The night of a number. Raises HTTPException 404."""
    night = find_row(session, number)
    if night is None:
        raise HTTPException(404, "No night has this number.")
    return night


@router.get("/nights", operation_id="listNights", response_model=list[NightRecord], responses=ROWS)
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def list_nights(
    request: Request, database: DatabaseDep, limit: Limit = 30, wanted: Wanted = None
) -> Response:
    """The nights in which films were scored again, the last one first."""
    with database.read() as session:
        rows = nights(session, limit)
    return answer_rows(request, wanted, NightRecord, rows)


@router.get(
    "/nights/{number}",
    operation_id="getNight",
    response_model=NightReport,
    responses=NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def get_night(
    request: Request, database: DatabaseDep, settings: SettingsDep, number: OfPath
) -> Response:
    """Counts of what a night changed: by ensemble, population and scanner."""
    with database.read() as session:
        report = night_report(session, find_night(session, number), settings.second_look)
    return answer_json(request, report)


@router.get(
    "/nights/{number}/studies",
    operation_id="listNightStudies",
    response_model=list[NightStudy],
    responses=NOT_FOUND | ROWS,
)
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def list_night_studies(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    number: OfPath,
    change: Which = NightChange.NEWLY_FLAGGED,
    limit: Limit = 100,
    wanted: Wanted = None,
) -> Response:
    """The studies that a night changed: newly flagged, no longer flagged, or for a second look.

    Unread ones come first, in reading order; those for a second look by the size of the change.
    """
    with database.read() as session:
        rows = changed_studies(
            session,
            find_night(session, number).number,
            change,
            settings.second_look,
            limit=limit,
            prevalence=settings.prevalence,
        )
    return answer_rows(request, wanted, NightStudy, rows)
