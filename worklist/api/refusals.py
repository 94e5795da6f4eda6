"""The images that were not scored, with the reasons."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from db.access.audit import AuditAction
from db.read_models import RefusedRecord
from db.worklist.refused import RefusedFilter, RefusedPosition, refused_counts, refused_images
from readfirst.access.roles import Role
from readfirst.refusals import RefusalCode
from worklist.api.cursors import next_page, of_refused, refused_position
from worklist.api.parameters import Cursor, Limit, RefusedSince
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep

router = APIRouter(tags=["refusals"])

Code = Annotated[RefusalCode | None, Query(description="Only what was refused by this code.")]


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """A page of the images that were not scored."""

    images: tuple[RefusedRecord, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


@router.get(
    "/refusals",
    operation_id="getRefusals",
    response_model=RefusalPage,
    responses=ROWS,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def refusals(
    request: Request,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
    code: Code = None,
    since: RefusedSince = None,
    wanted: Wanted = None,
) -> Response:
    """The images that were not scored, with code and sentence, the latest first."""
    after = refused_position(cursor) if cursor else None
    which = RefusedFilter(code=code, since=since)
    with database.read() as session:
        rows = refused_images(session, limit=limit + 1, which=which, after=after)
    page = tuple(rows[:limit])
    end = _end(page) if len(rows) > limit else None
    whole, further = RefusalPage(page, end), next_page(request, end)
    return answer_rows(request, wanted, RefusedRecord, page, whole=whole, next_page=further)


@router.get(
    "/refusals/counts",
    operation_id="getRefusalCounts",
    response_model=dict[RefusalCode, int],
    responses=NOT_MODIFIED,
)
@policy(Role.SERVICE)
def counts(request: Request, database: DatabaseDep, since: RefusedSince = None) -> Response:
    """How many images were refused by each code that occurs, the most frequent first."""
    with database.read() as session:
        numbers = refused_counts(session, which=RefusedFilter(since=since))
    return answer_json(request, numbers)


def _end(page: tuple[RefusedRecord, ...]) -> str:
    last = page[-1]
    return of_refused(RefusedPosition(last.refused_at, last.image_id))
