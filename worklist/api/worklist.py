"""The worklist: studies in reading order, a page at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from db.filters import WorklistFilter
from db.session import Database
from db.sorting import Order, Position, Sort
from db.views import StudyView
from db.worklist import ReadingPage, reading_page
from readfirst.settings import Settings
from worklist.api.answers import ROWS, Wanted, answer_rows, as_json
from worklist.api.cursors import next_page, of_study, study_position
from worklist.api.parameters import NO_NUL, Cursor, Limit, Moment, Since, Until
from worklist.api.problems import TAKEN

Flagged = Annotated[bool, Query(description="Flagged studies only.")]
Refused = Annotated[bool, Query(description="Only studies with an image that was refused.")]
SortBy = Annotated[
    Sort, Query(description="What they are sorted by; nothing but `reading` is by urgency.")
]
Reverse = Annotated[
    bool, Query(description="The other way round, but for studies without a value to sort by.")
]
Unread = Annotated[
    bool | None,
    Query(description="`true`: only unread studies; `false`: only read ones. Default: both."),
]
Institution = Annotated[
    str | None,
    Query(max_length=200, pattern=NO_NUL, description="Institution Name, as the films say it."),
]


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of the worklist."""

    studies: tuple[StudyView, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


class Search(BaseModel):
    """What to look for. It travels in the body, since addresses are logged and remembered."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(
        None,
        max_length=200,
        pattern=NO_NUL,
        description="Words, each of which is in the patient's name or ID or the accession number.",
    )
    flagged: bool = False
    unread: bool | None = None
    refused: bool = False
    institution: str | None = Field(None, max_length=200, pattern=NO_NUL)
    since: Moment | None = None
    until: Moment | None = None
    sort: Sort = Sort.READING
    reverse: bool = False
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=100)


def add_worklist(router: APIRouter, database: Database, settings: Settings) -> None:
    """Add the worklist, for a filter in the address and for a text in the body."""

    def page(
        which: WorklistFilter, order: Order, limit: int, after: Position | None
    ) -> ReadingPage:
        now = datetime.now(UTC)
        with database.read() as session:
            return reading_page(
                session,
                limit=limit,
                which=which,
                order=order,
                after=after,
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(now),
                overdue=settings.overdue(now),
            )

    @router.get(
        "/worklist",
        operation_id="getWorklist",
        tags=["worklist"],
        response_model=Worklist,
        responses=ROWS,
    )
    def worklist(
        request: Request,
        limit: Limit = 100,
        cursor: Cursor = None,
        flagged: Flagged = False,
        unread: Unread = None,
        refused: Refused = False,
        institution: Institution = None,
        since: Since = None,
        until: Until = None,
        sort: SortBy = Sort.READING,
        reverse: Reverse = False,
        wanted: Wanted = None,
    ) -> Response:
        """The studies in reading order, the most urgent first, each with why it stands there;
        or in another order, where those without a value stand together.

        The pages follow one another whatever arrives in between: no study comes twice that keeps
        its place, and none is left out. One that is flagged meanwhile moves to the front, and the
        events say so. An answer as CSV has the same rows, and the next page in its Link header.
        """
        which = WorklistFilter(
            flagged=flagged,
            unread=unread,
            refused=refused,
            institution=institution,
            since=since,
            until=until,
        )
        order = Order(sort, reverse)
        found = page(which, order, limit, study_position(cursor, order) if cursor else None)
        end = of_study(found.end) if found.end else None
        whole, further = Worklist(found.studies, end), next_page(request, end)
        return answer_rows(
            request, wanted, StudyView, found.studies, whole=whole, next_page=further
        )

    @router.post(
        "/worklist/search",
        operation_id="searchWorklist",
        tags=["worklist"],
        response_model=Worklist,
        responses=TAKEN,
    )
    def search(body: Annotated[Search, Body()]) -> Response:
        """The worklist by a text. The text stands in no address and no log."""
        which = WorklistFilter(
            flagged=body.flagged,
            unread=body.unread,
            refused=body.refused,
            institution=body.institution,
            since=body.since,
            until=body.until,
            text=body.text,
        )
        order = Order(body.sort, body.reverse)
        after = study_position(body.cursor, order) if body.cursor else None
        found = page(which, order, body.limit, after)
        end = of_study(found.end) if found.end else None
        return Response(as_json(Worklist(found.studies, end)), media_type="application/json")
