"""The images that were not scored, with the reasons."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.access.audit import AuditAction
from db.lifecycle.unit_of_work import unit_of_work
from db.read_models import RefusedRecord
from db.worklist.refused import RefusedFilter, RefusedPosition, refused_counts, refused_images
from db.worklist.wanted_retries import RetryOutcome, retry_outcome, want_retry
from readfirst.access.roles import Role
from readfirst.refusals import RefusalCode
from worklist.api.cursors import GREATEST_ID, next_page, of_refused, refused_position
from worklist.api.parameters import Cursor, Limit, RefusedSince
from worklist.http.problems import TAKEN
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, LifecycleDep

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


class NewRetry(BaseModel):
    """The refused images that are to be tried again: one, all of a code, or all."""

    model_config = ConfigDict(extra="forbid")

    image_id: int | None = Field(None, ge=1, le=GREATEST_ID, description="One image.")
    code: RefusalCode | None = Field(None, description="All that were refused by this code.")
    all: bool = Field(False, description="All refused images.")

    @model_validator(mode="after")
    def _one_choice(self) -> "NewRetry":
        if [self.image_id is not None, self.code is not None, self.all].count(True) != 1:
            raise ValueError("give image_id, code, or all")
        return self


@dataclass(frozen=True, slots=True)
class WantedRetries:
    """The number of images that will be tried again, and the cursor by which to follow them."""

    images: int
    tried: str


@router.post(
    "/refusals/retries",
    operation_id="wantRetries",
    status_code=202,
    response_model=WantedRetries,
    responses=TAKEN,
)
# Noted in its own transaction.
@policy(Role.LEAD)
def want_retries(
    user: CurrentUser, database: DatabaseDep, rules: LifecycleDep, body: Annotated[NewRetry, Body()]
) -> Response:
    """Have refused images tried again, from their originals and by the rules of today."""
    with unit_of_work(database, rules) as unit:
        which = RefusedFilter(code=body.code)
        images = want_retry(unit, which, user.actor, image_id=body.image_id)
        wanted = WantedRetries(images, of_refused(RefusedPosition(unit.at, 0)))
    return Response(as_json(wanted), 202, media_type="application/json")


@router.get(
    "/refusals/retries",
    operation_id="getRetryOutcome",
    response_model=RetryOutcome,
    responses=NOT_MODIFIED,
)
@policy(Role.LEAD)
def outcome(
    request: Request,
    database: DatabaseDep,
    tried: Annotated[str, Query(max_length=100, description="As the answer of the wish has it.")],
) -> Response:
    """Count what has become of images that were to be tried again."""
    with database.read() as session:
        numbers = retry_outcome(session, refused_position(tried).refused_at)
    return answer_json(request, numbers)


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
