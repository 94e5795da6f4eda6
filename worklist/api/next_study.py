"""The unread study that comes next."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from db.access.audit import AuditAction
from db.worklist.next_unread import NextStudy, next_unread
from readfirst.access.roles import Role
from worklist.api.parameters import STUDY_UID
from worklist.http.problems import TAKEN
from worklist.http.responses import as_json
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep

router = APIRouter(tags=["worklist"])

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


@router.post(
    "/worklist/next",
    operation_id="getNextUnread",
    response_model=NextStudy | None,
    responses=TAKEN,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def next_study(database: DatabaseDep, body: Annotated[Visit, Body()]) -> Response:
    """The unread study that comes next in reading order, and why; `null` where no other is unread.

    `behind`: the nearest one behind; `stat`: a STAT study that was not visited goes before;
    `from_top`: the end was reached, so this is the most urgent one that was not visited; `again`:
    all were visited, so it begins anew.
    """
    with database.read() as session:
        study = next_unread(session, after=body.after, visited=body.visited)
    return Response(as_json(study), media_type="application/json")
