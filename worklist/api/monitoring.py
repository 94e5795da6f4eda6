"""The figures of the monitoring, as JSON or CSV, by the same queries as the page."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import Field

from db.access.audit import AuditAction
from db.monitoring.figures import FIGURES, Figure
from db.monitoring.kept_days import MonitoringData
from readfirst.access.roles import Role
from readfirst.calendar import EARLIEST_DAY, LATEST_DAY
from readfirst.monitoring.config import monitoring_config
from readfirst.monitoring.period import MOST_DAYS, USUAL_DAYS, Period, make_period
from readfirst.settings import Settings
from worklist.api.parameters import AsDay
from worklist.http.responses import ROWS, Wanted, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep

router = APIRouter(tags=["watching"])

Day = Annotated[date, Field(ge=EARLIEST_DAY, le=LATEST_DAY), AsDay]
First = Annotated[
    Day | None,
    Query(
        alias="from",
        description=f"First day, in the site's zone. Default: so that there are {USUAL_DAYS}.",
    ),
]
Last = Annotated[
    Day | None,
    Query(
        alias="to",
        description="Last day, in the site's zone, itself included. Default: today. "
        f"At most {MOST_DAYS} days together.",
    ),
]


def requested_period(first: date | None, last: date | None, settings: Settings) -> Period:
    """The period of a request. Raises HTTPException 422 for one that is none."""
    try:
        return make_period(first, last, datetime.now(UTC), settings.zone)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def _rows_of(figure: Figure) -> Callable[..., Response]:
    """The endpoint of one figure."""

    @policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
    def rows(
        request: Request,
        database: DatabaseDep,
        settings: SettingsDep,
        first: First = None,
        last: Last = None,
        wanted: Wanted = None,
    ) -> Response:
        period = requested_period(first, last, settings)
        with database.read() as session:
            table = figure.rows(MonitoringData(session), period, monitoring_config(settings))
        return answer_rows(request, wanted, figure.kind, table)

    return rows


for name, figure in FIGURES.items():
    router.add_api_route(
        f"/watching/{name}",
        _rows_of(figure),
        methods=["GET"],
        operation_id=f"getWatching{name.title()}",
        description=figure.description,
        response_model=list[figure.kind],  # type: ignore[name-defined]
        responses=ROWS,
    )
