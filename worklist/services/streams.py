"""Streams of server-sent events (WHATWG HTML 9.2), made from the events that are kept anyway."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from db.lifecycle.events import EventAction
from db.session import Database
from db.stream import SLICE, Follower, StreamedEvent
from worklist.http.responses import as_json
from worklist.services.current_readers import CurrentReaders, ReadersChanged, ReadersFollower

log = structlog.get_logger()
#: Seconds between two looks for new events, and of silence before a sign of life.
#: With each sign of life it is seen whether its session still holds.
LOOK_SECONDS, HEARTBEAT_SECONDS = 0.5, 2.0
#: Seconds after which a stream ends: whoever may look no more is told so when asking again.
LONGEST_SECONDS = 600.0
#: Seconds that a client has to read the end of its stream; then it is cut off.
GRACE_SECONDS = 30.0
#: Milliseconds after which a client whose stream ended asks again.
AGAIN_AFTER = 2000
#: Streams of one server at a time.
MOST_STREAMS = 200
#: Of them, those of one account: the others still get one.
MOST_OF_ONE = 40
#: Left out while the site is silent: events, and details of others.
FLAGS = {EventAction.FLAGGED, EventAction.FLAG_WITHDRAWN}
SAID_BY_AI = {"probability", "now", "agreement"}
HEARTBEAT = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class StreamNews:
    """All that a stream has to say at one look."""

    events: list[StreamedEvent]
    readers: list[ReadersChanged]

    def __bool__(self) -> bool:
        return bool(self.events or self.readers)


@dataclass(frozen=True, slots=True)
class StartedStream:
    """A stream that has its position, and what is after it already."""

    follower: Follower
    readers: ReadersFollower
    news: StreamNews


class Streams:
    """The streams of one server; they end when it closes."""

    def __init__(
        self,
        database: Database,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
        silent: bool = False,
    ) -> None:
        self._database = database
        self._silent = silent
        self._current_readers = CurrentReaders(LOOK_SECONDS)
        self._heartbeat_seconds = heartbeat_seconds
        self._longest_seconds = longest_seconds
        self.cut_after = longest_seconds + grace_seconds
        self._closing = asyncio.Event()
        #: By the account that holds them.
        self._by_account: Counter[str] = Counter()

    def close(self) -> None:
        """End every stream."""
        self._closing.set()

    @property
    def open_streams(self) -> int:
        """The number of slots that are held."""
        return self._by_account.total()

    @contextmanager
    def slot(self, account: str | None = None) -> Iterator[None]:
        """Hold a slot while a client is answered; refuse with 503 where none is free.

        Nothing is awaited between the check and the count, so a burst gets no more than there are.
        account: whose share it is of; None where nobody has to log in, and nobody has a share.
        """
        owner = account or ""
        most = MOST_OF_ONE if account else MOST_STREAMS
        is_full = self._by_account[owner] >= most or self.open_streams >= MOST_STREAMS
        if is_full or self._closing.is_set():
            raise HTTPException(503, "There are too many streams.", headers={"Retry-After": "10"})
        self._by_account[owner] += 1
        try:
            yield
        finally:
            self._by_account[owner] -= 1
            # An account that holds none is forgotten.
            self._by_account += Counter()

    async def start(self, after: int | None) -> StartedStream:
        """Choose the position from which a client gets events: after one, or from now on."""
        follower, readers = Follower(after), ReadersFollower()
        news = await run_in_threadpool(self._read, follower, readers)
        return StartedStream(follower, readers, news)

    async def follow(self, stream: StartedStream, request: Request) -> AsyncIterator[bytes]:
        """Send the events from a position on, as text, until the client leaves."""
        end = time.monotonic() + self._longest_seconds
        follower, readers, news = stream.follower, stream.readers, stream.news
        try:
            yield format_sse_event(retry=AGAIN_AFTER, comment="here")
            silent = 0.0
            while not await self._is_over(request, end):
                for event in news.events:
                    if not (self._silent and event.action in FLAGS):
                        yield _text(_without_ai(event) if self._silent else event)
                for change in news.readers:
                    # Without a number: it is not kept, and a client that missed it asks.
                    yield format_sse_event(event="readers", data_str=as_json(change).decode())
                silent = 0.0 if news else silent + LOOK_SECONDS
                if silent >= self._heartbeat_seconds:
                    silent = 0.0
                    yield HEARTBEAT
                if len(news.events) < SLICE:
                    await self._pause()
                news = await run_in_threadpool(self._read, follower, readers)
        except SQLAlchemyError as error:
            # The client asks again, and goes on where it was.
            log.error("stream_ended", action="stream", error=type(error).__name__)

    async def _is_over(self, request: Request, end: float) -> bool:
        if self._closing.is_set() or time.monotonic() > end:
            return True
        return await request.is_disconnected()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), LOOK_SECONDS)

    def _read(self, follower: Follower, readers: ReadersFollower) -> StreamNews:
        now = datetime.now(UTC)
        with self._database.read() as session:
            events = follower.read(session, now)
            return StreamNews(events, readers.changes(self._current_readers.read(session, now)))


class EventStream(StreamingResponse):
    """The answer to a client. It holds a slot from before its first byte to its end.

    The slot does not depend on the events being read: a client may leave before, or never read.
    """

    media_type = "text/event-stream"

    def __init__(
        self, streams: Streams, after: int | None, request: Request, account: str | None = None
    ) -> None:
        # nginx and others would hold events back.
        super().__init__(iter(()), headers={"X-Accel-Buffering": "no"})
        self._streams, self._after, self._request = streams, after, request
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless there is no slot."""
        with self._streams.slot(self._account), suppress(TimeoutError):
            async with asyncio.timeout(self._streams.cut_after):
                # Before the headers: who has them misses nothing that happens from then on.
                stream = await self._streams.start(self._after)
                self.body_iterator = self._streams.follow(stream, self._request)
                await super().__call__(scope, receive, send)


def _without_ai(event: StreamedEvent) -> StreamedEvent:
    detail = {name: value for name, value in event.detail.items() if name not in SAID_BY_AI}
    return replace(event, detail=detail)


def _text(event: StreamedEvent) -> bytes:
    data = as_json(event).decode()
    return format_sse_event(event=event.action, data_str=data, id=str(event.id))
