"""What watches the AI: each figure as JSON or CSV, by the same queries as the page."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import Field

from db.session import Database
from db.watching.figures import FIGURES, Figure
from readfirst.settings import Settings
from readfirst.watching.period import MOST_DAYS, USUAL_DAYS, Period, make_period
from readfirst.watching.terms import watch_terms
from worklist.api.answers import ROWS, Wanted, answer_rows

#: Days of which every zone can tell the beginning; what lies outside is a mistake.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
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


def asked_period(first: date | None, last: date | None, settings: Settings) -> Period:
    """The period of a request. Raises HTTPException 422 for one that is none."""
    try:
        return make_period(first, last, datetime.now(UTC), settings.zone)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def add_watching(router: APIRouter, database: Database, settings: Settings) -> None:
    """Add a route for each figure."""
    for name, figure in FIGURES.items():
        _add(router, name, figure, database, settings)


def _add(
    router: APIRouter, name: str, figure: Figure, database: Database, settings: Settings
) -> None:
    @router.get(
        f"/watching/{name}",
        operation_id=f"getWatching{name.title()}",
        description=figure.says,
        tags=["watching"],
        response_model=list[figure.kind],  # type: ignore[name-defined]
        responses=ROWS,
    )
    def rows(
        request: Request, first: First = None, last: Last = None, wanted: Wanted = None
    ) -> Response:
        period = asked_period(first, last, settings)
        with database.read() as session:
            found = figure.rows(session, period, watch_terms(settings))
        return answer_rows(request, wanted, figure.kind, found)
