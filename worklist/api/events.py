"""The stream of events."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from worklist.api.cursors import GREATEST_ID
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, StreamsDep
from worklist.services.streams import EventStream

router = APIRouter(tags=["events"])

LastEventId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=GREATEST_ID,
        description="Go on behind this event. Default: from now on.",
    ),
]


@router.get(
    "/events/stream",
    operation_id="streamEvents",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
# A page keeps it open by itself; the studies that it names are noted as they come.
@policy(Role.SERVICE, audit=AuditAction.EVENTS_FOLLOWED, attended=False, each_time=False)
async def stream(
    request: Request, user: CurrentUser, streams: StreamsDep, last_event_id: LastEventId = None
) -> Response:
    """What happens to studies and images, as it happens; heartbeats are comments.

    Each event has its number as `id`, its kind as `event`, and as `data` JSON with the study,
    the image and the time. A client that was cut off sends the last number it saw as
    `Last-Event-ID`, as browsers do, and misses none.
    """
    return EventStream(streams, last_event_id, request, user.account)
