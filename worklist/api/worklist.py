"""The worklist: studies in reading order, a page at a time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from db.access.audit import AuditAction
from db.disclosures import OfStudy
from db.read_models import StudyRecord
from db.session import Database
from db.worklist.filters import WorklistFilter
from db.worklist.next_unread import NextStudy, next_unread
from db.worklist.queries import reading_page
from db.worklist.readers import StudyReader, read_by_others, readers_by_study
from db.worklist.sorting import Order, Sort
from readfirst.access.roles import Role
from readfirst.studies.display import DisplayContext
from worklist.api.cursors import next_page, of_study, study_position
from worklist.api.figure_parameters import FigureFields, FigureParameters
from worklist.api.parameters import NO_NUL, STUDY_UID, AsNumber, Cursor, Limit, Moment, Since, Until
from worklist.http.problems import TAKEN
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, DisplayDep, NowDep

router = APIRouter(tags=["worklist"])


class ReadFilter(StrEnum):
    """The studies that a list holds, by whether they are read."""

    UNREAD = "unread"
    READ = "read"
    ALL = "all"

    @property
    def unread(self) -> bool | None:
        """As `WorklistFilter` has it."""
        return {ReadFilter.UNREAD: True, ReadFilter.READ: False}.get(self)

    @classmethod
    def of(cls, show: "ReadFilter | None", *, unread: bool | None, default: "ReadFilter") -> Self:
        """The one of a request. unread: its older name, which counts where the new one is not."""
        older = None if unread is None else cls.UNREAD if unread else cls.READ
        return cls(show or older or default)


Institution = Annotated[
    str | None,
    Query(max_length=200, pattern=NO_NUL, description="Institution Name, as the films say it."),
]


Flagged = Annotated[bool, Query(description="Flagged studies only.")]
Stat = Annotated[bool, Query(description="STAT studies only.")]
Refused = Annotated[bool, Query(description="Only studies with an image that was refused.")]
SortBy = Annotated[Sort, Query(description="Sort order; only `reading` sorts by urgency.")]
Reverse = Annotated[
    bool, Query(description="Reverse order; studies without a value to sort by stay last.")
]
ShowWhich = Annotated[
    ReadFilter | None,
    Query(description="Default: `unread`; with `agreement` or `prior=true`, `all`."),
]
Unread = Annotated[
    bool | None,
    Query(
        deprecated=True,
        description="As `show`, in this release for the last time: `true` is `unread`, `false` is "
        "`read`.",
    ),
]
Prior = Annotated[
    bool | None,
    Query(
        description="`true`: only priors, which came in for comparison and are no unread work; "
        "`false`: none of them. Default: both."
    ),
]
#: RFC 9745: since when a parameter is deprecated, 2026-11-29, in seconds since 1970.
DEPRECATION = {"Deprecation": "@1795910400"}


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of the worklist."""

    studies: tuple[StudyRecord, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStudyRecord(OfStudy):
    """A study that somebody has open at the page; the first of its readers reads it."""

    study_instance_uid: str
    readers: tuple[StudyReader, ...]


class Search(FigureFields):
    """What to look for. It travels in the body, since addresses are logged and remembered."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(
        None,
        max_length=200,
        pattern=NO_NUL,
        description="Words, each of which is in the patient's name or ID or the accession number.",
    )
    flagged: bool = False
    stat: bool = False
    show: ReadFilter | None = Field(
        None, description="Default: `all`, since a patient is looked for among all."
    )
    # The `deprecated` of pydantic would warn this program itself.
    unread: bool | None = Field(
        None,
        description="As `show`, in this release for the last time.",
        json_schema_extra={"deprecated": True},
    )
    prior: bool | None = None
    refused: bool = False
    institution: str | None = Field(None, max_length=200, pattern=NO_NUL)
    since: Moment | None = None
    until: Moment | None = None
    sort: Sort = Sort.READING
    reverse: bool = False
    limit: Annotated[int, AsNumber] = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=100)


#: Studies that one may have visited.
MOST_VISITED = 1000
Uid = Annotated[str, Field(pattern=STUDY_UID)]


class Visit(BaseModel):
    """Where a reader is, and which studies were opened on the way here."""

    model_config = ConfigDict(extra="forbid")

    after: Uid | None = Field(None, description="The study that is open. Default: begin anew.")
    visited: list[Uid] = Field(
        [],
        max_length=MOST_VISITED,
        description="The studies that were opened, and left unread perhaps.",
    )


@router.get(
    "/worklist",
    operation_id="getWorklist",
    response_model=Worklist,
    responses=ROWS,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def worklist(
    request: Request,
    database: DatabaseDep,
    display: DisplayDep,
    figure: FigureParameters,
    limit: Limit = 100,
    cursor: Cursor = None,
    flagged: Flagged = False,
    show: ShowWhich = None,
    stat: Stat = False,
    unread: Unread = None,
    prior: Prior = None,
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
    of_figure = figure.figure()
    is_read = of_figure is not None and of_figure.agreement is not None
    default = ReadFilter.ALL if is_read or prior else ReadFilter.UNREAD
    which = WorklistFilter(
        flagged=flagged,
        unread=ReadFilter.of(show, unread=unread, default=default).unread,
        stat=stat,
        prior=prior,
        refused=refused,
        institution=institution,
        since=since,
        until=until,
        figure=of_figure,
    )
    page = _page(database, display, which, Order(sort, reverse), limit, cursor)
    answer = answer_rows(
        request,
        wanted,
        StudyRecord,
        page.studies,
        whole=page,
        next_page=next_page(request, page.next),
    )
    if unread is not None:
        answer.headers.update(DEPRECATION)
    return answer


@router.post(
    "/worklist/search",
    operation_id="searchWorklist",
    response_model=Worklist,
    responses=TAKEN,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def search(database: DatabaseDep, display: DisplayDep, body: Annotated[Search, Body()]) -> Response:
    """The worklist by a text. The text stands in no address and no log."""
    which = WorklistFilter(
        flagged=body.flagged,
        unread=ReadFilter.of(body.show, unread=body.unread, default=ReadFilter.ALL).unread,
        stat=body.stat,
        prior=body.prior,
        refused=body.refused,
        institution=body.institution,
        since=body.since,
        until=body.until,
        text=body.text,
        figure=body.figure(),
    )
    order = Order(body.sort, body.reverse)
    page = _page(database, display, which, order, body.limit, body.cursor)
    headers = None if body.unread is None else DEPRECATION
    return Response(as_json(page), headers=headers, media_type="application/json")


@router.post(
    "/worklist/next",
    operation_id="getNextUnread",
    response_model=NextStudy | None,
    responses=TAKEN,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def next_study(
    user: CurrentUser, database: DatabaseDep, now: NowDep, body: Annotated[Visit, Body()]
) -> Response:
    """The unread study that comes next in reading order, and why; `null` where no other is unread.

    `behind`: the nearest one behind; `stat`: a STAT study that was not visited goes before;
    `from_top`: the end was reached, so this is the most urgent one that was not visited; `again`:
    all were visited, so it begins anew; `read_by_others`: people of other accounts have all of them
    open, which are else passed over.
    """
    with database.read() as session:
        others = read_by_others(session, user.account, now)
        study = next_unread(session, after=body.after, visited=body.visited, others=others)
    return Response(as_json(study), media_type="application/json")


@router.get(
    "/worklist/readers",
    operation_id="getReaders",
    response_model=list[OpenStudyRecord],
    responses=NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED, attended=False, each_time=False)
def readers(request: Request, database: DatabaseDep, now: NowDep) -> Response:
    """The studies that somebody has open at the page now; the events `readers` tell of changes."""
    with database.read() as session:
        by_study = readers_by_study(session, now)
    rows = [OpenStudyRecord(study_instance_uid=uid, readers=each) for uid, each in by_study.items()]
    return answer_json(request, rows)


def _page(
    database: Database,
    display: DisplayContext,
    which: WorklistFilter,
    order: Order,
    limit: int,
    cursor: str | None,
) -> Worklist:
    after = study_position(cursor, order) if cursor else None
    with database.read() as session:
        page = reading_page(
            session, limit=limit, which=which, order=order, after=after, display=display
        )
    return Worklist(page.studies, of_study(page.end) if page.end else None)
