"""What happens, as server-sent events (WHATWG HTML 9.2), from the events that are kept anyway."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from db.session import Database
from db.stream import SLICE, Follower, StreamedEvent
from worklist.api.answers import as_json
from worklist.api.cursors import GREATEST_ID

log = structlog.get_logger()
#: Seconds between two looks for new events, and of silence before a sign of life.
LOOK_SECONDS, HEARTBEAT_SECONDS = 0.5, 15.0
#: Seconds after which a stream ends: whoever may look no more is told so when asking again.
LONGEST_SECONDS = 600.0
#: Milliseconds after which a client whose stream ended asks again.
AGAIN_AFTER = 2000
#: Streams of one server at a time.
MOST_STREAMS = 200
HEARTBEAT = b": still here\n\n"

LastEventId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=GREATEST_ID,
        description="Go on behind this event. Default: from now on.",
    ),
]


class Streams:
    """The streams of one server; they end when it closes."""

    def __init__(self, database: Database, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._database = database
        self._heartbeat_seconds = heartbeat_seconds
        self._closing = asyncio.Event()
        self.open_streams = 0

    def close(self) -> None:
        """End every stream."""
        self._closing.set()

    def has_room(self) -> bool:
        """Whether one more may begin."""
        return self.open_streams < MOST_STREAMS and not self._closing.is_set()

    async def follow(self, after: int | None, request: Request) -> AsyncIterator[bytes]:
        """The events behind one, or from now on, as text for a client, until that one leaves."""
        self.open_streams += 1
        end = time.monotonic() + LONGEST_SECONDS
        try:
            follower = Follower(after)
            # At once, so that a client knows from when on nothing is left out.
            found = await run_in_threadpool(self._read, follower)
            yield format_sse_event(retry=AGAIN_AFTER, comment="here")
            silent = 0.0
            while not await self._is_over(request, end):
                for event in found:
                    yield _text(event)
                silent = 0.0 if found else silent + LOOK_SECONDS
                if silent >= self._heartbeat_seconds:
                    silent = 0.0
                    yield HEARTBEAT
                if len(found) < SLICE:
                    await self._pause()
                found = await run_in_threadpool(self._read, follower)
        except SQLAlchemyError as error:
            # The client asks again, and goes on where it was.
            log.error("stream_ended", action="stream", error=type(error).__name__)
        finally:
            self.open_streams -= 1

    async def _is_over(self, request: Request, end: float) -> bool:
        if self._closing.is_set() or time.monotonic() > end:
            return True
        return await request.is_disconnected()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), LOOK_SECONDS)

    def _read(self, follower: Follower) -> list[StreamedEvent]:
        with self._database.read() as session:
            return follower.read(session, datetime.now(UTC))


def add_events(router: APIRouter, streams: Streams) -> None:
    """Add the stream."""

    @router.get(
        "/events/stream",
        operation_id="streamEvents",
        tags=["events"],
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(request: Request, last_event_id: LastEventId = None) -> Response:
        """What happens to studies and images, as it happens; heartbeats are comments.

        Each event has its number as `id`, its kind as `event`, and as `data` JSON with the study,
        the image and the time. A client that was cut off sends the last number it saw as
        `Last-Event-ID`, as browsers do, and misses none.
        """
        if not streams.has_room():
            raise HTTPException(503, "There are too many streams.", headers={"Retry-After": "10"})
        return StreamingResponse(
            streams.follow(last_event_id, request),
            media_type="text/event-stream",
            # nginx and others would hold events back.
            headers={"X-Accel-Buffering": "no"},
        )


def _text(event: StreamedEvent) -> bytes:
    data = as_json(event).decode()
    return format_sse_event(event=event.action, data_str=data, id=str(event.id))
