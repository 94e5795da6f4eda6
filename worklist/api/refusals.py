"""What was not scored, and why."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from db.refused import RefusedPlace, Which, refused_counts, refused_images
from db.session import Database
from db.views import RefusedView
from readfirst.refusals import RefusalCode
from worklist.api.answers import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.api.cursors import next_page, of_refused, refused_place
from worklist.api.parameters import Cursor, Limit, Moment

Code = Annotated[RefusalCode | None, Query(description="Only what was refused by this code.")]
RefusedSince = Annotated[
    Moment | None, Query(description="Only what was refused then or later; a time with its zone.")
]


@dataclass(frozen=True, slots=True)
class Refusals:
    """A page of the images that were not scored."""

    images: tuple[RefusedView, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


def add_refusals(router: APIRouter, database: Database) -> None:
    """Add the list, and how many there are by each code."""

    @router.get(
        "/refusals",
        operation_id="getRefusals",
        tags=["refusals"],
        response_model=Refusals,
        responses=ROWS,
    )
    def refusals(
        request: Request,
        limit: Limit = 100,
        cursor: Cursor = None,
        code: Code = None,
        since: RefusedSince = None,
        wanted: Wanted = None,
    ) -> Response:
        """The images that were not scored, with code and sentence, the latest first."""
        after = refused_place(cursor) if cursor else None
        which = Which(code=code, since=since)
        with database.read() as session:
            rows = refused_images(session, limit=limit + 1, which=which, after=after)
        page = tuple(rows[:limit])
        end = _end(page) if len(rows) > limit else None
        whole, further = Refusals(page, end), next_page(request, end)
        return answer_rows(request, wanted, RefusedView, page, whole=whole, next_page=further)

    @router.get(
        "/refusals/counts",
        operation_id="getRefusalCounts",
        tags=["refusals"],
        response_model=dict[RefusalCode, int],
        responses=NOT_MODIFIED,
    )
    def counts(request: Request, since: RefusedSince = None) -> Response:
        """How many images were refused by each code that occurs, the most frequent first."""
        with database.read() as session:
            found = refused_counts(session, which=Which(since=since))
        return answer_json(request, found)


def _end(page: tuple[RefusedView, ...]) -> str:
    last = page[-1]
    return of_refused(RefusedPlace(last.refused_at, last.image_id))
