"""The HL7 listener: messages in the Minimal Lower Layer Protocol (HL7 2.5.1, appendix C).

Each connection sends one message after the other, and gets the answer to each before the next is
read. What a message means, and where it is kept, is not known here.
"""

import asyncio
import threading
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import structlog
from hl7.mllp.streams import CARRIAGE_RETURN, END_BLOCK, START_BLOCK

from ingest.hl7.listener_config import Hl7ListenerConfig
from readfirst.errors import Misconfigured

log = structlog.get_logger()
#: Takes the bytes of a message and returns those of the answer. Called in a thread of its own.
#: is_whole: False for the beginning of one that is too large, of which nothing can be kept.
TakeMessage = Callable[[bytes, bool], bytes]
#: Seconds that messages in work may take to finish once the listener is told to stop.
FINISH_SECONDS = 8.0
#: Seconds after which a connection that sends nothing makes room, where there are too many.
QUIET_SECONDS = 10.0
#: Bytes between two messages that mean nothing: some systems end each with more than one CR.
BETWEEN = (b"\r", b"\n", b"\0", END_BLOCK)
#: Bytes of a message that is too large, which hold its MSH.
BEGINNING = 4096


@dataclass(eq=False, slots=True)
class MllpConnection:
    """A connection. quiet_since: when it last sent or was sent something; None: in work."""

    reader: StreamReader
    writer: StreamWriter
    task: "asyncio.Task[None] | None"
    quiet_since: float | None = field(default_factory=time.monotonic)

    @property
    def peer(self) -> str:
        """The address that calls."""
        name = self.writer.get_extra_info("peername")
        return str(name[0]) if name else ""


@contextmanager
def listening_for_hl7(config: Hl7ListenerConfig, take: TakeMessage) -> Iterator["Hl7Listener"]:
    """A listener at work, for the length of the block; then messages in work may finish.

    Raises Misconfigured if the port is not free.
    """
    listener = Hl7Listener(config, take)
    thread = threading.Thread(target=lambda: asyncio.run(listener.run()), name="hl7")
    thread.start()
    listener.ready.wait()
    if listener.fault is not None:
        thread.join()
        raise Misconfigured(
            f"{config.host}:{config.port} cannot be listened on: {listener.fault.strerror}. "
            "Set READFIRST_HL7_HOST and READFIRST_HL7_PORT."
        ) from listener.fault
    try:
        yield listener
    finally:
        listener.stop()
        thread.join()


class Hl7Listener:
    """Accepts connections as its configuration says."""

    def __init__(self, config: Hl7ListenerConfig, take: TakeMessage) -> None:
        self.config = config
        self.port = config.port
        #: Set once it listens, or cannot.
        self.ready = threading.Event()
        self.fault: OSError | None = None
        self._take = take
        self._connections: set[MllpConnection] = set()
        self._stopping: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> None:
        """Listen until it is told to stop."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(
                self._serve,
                self.config.host,
                self.config.port,
                limit=self.config.most_bytes,
                ssl=self.config.tls,
            )
        except OSError as error:
            self.fault = error
            self.ready.set()
            return
        self.port = int(server.sockets[0].getsockname()[1])
        self.ready.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            await self._finish()

    def stop(self) -> None:
        """Accept nothing any more, and end once what is in work is answered."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = MllpConnection(reader, writer, asyncio.current_task())
        if self._is_turned_away(connection):
            writer.transport.abort()
            return
        self._connections.add(connection)
        try:
            while not self._stopping.is_set() and await self._next_message(connection):
                pass
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            reason = "too slow" if isinstance(error, TimeoutError) else "broken off"
            log.warning("connection_ended", action="hl7", peer=connection.peer, reason=reason)
        except asyncio.CancelledError:
            # It makes room, or the listener stops: asyncio would report the task as a fault.
            log.debug("connection_ended", action="hl7", peer=connection.peer, reason="quiet")
        finally:
            self._connections.discard(connection)
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), self.config.seconds)

    def _is_turned_away(self, connection: MllpConnection) -> bool:
        """Tell whether a caller is not let in; the quietest of too many makes room for it."""
        reason = None
        if not self.config.admits(connection.peer):
            reason = "address"
        elif len(self._connections) >= self.config.connections and not self._make_room():
            reason = "as many connections as may be"
        if reason is not None:
            log.warning("refused", action="hl7", peer=connection.peer, reason=reason)
        return reason is not None

    def _make_room(self) -> bool:
        """End the connection that has been quiet for longest; its sender connects again."""
        quiet = [each for each in self._connections if each.quiet_since is not None]
        first = min(quiet, key=lambda each: each.quiet_since or 0.0, default=None)
        if first is None or time.monotonic() - (first.quiet_since or 0.0) < QUIET_SECONDS:
            return False
        self._connections.discard(first)
        if first.task is not None:
            first.task.cancel()
        return True

    async def _next_message(self, connection: MllpConnection) -> bool:
        """Take and answer the next message. Returns False where there will be no more."""
        reader = connection.reader
        connection.quiet_since = time.monotonic()
        start = await reader.read(1)
        while start in BETWEEN:
            start = await reader.read(1)
        if not start:
            return False
        if start != START_BLOCK:
            log.warning("not_mllp", action="hl7", peer=connection.peer)
            return False
        connection.quiet_since = None
        until_end = reader.readuntil(END_BLOCK)
        try:
            block = await asyncio.wait_for(until_end, self.config.seconds)
        except asyncio.LimitOverrunError:
            await self._answer(connection, await reader.read(BEGINNING), is_whole=False)
            await self._read_rest(connection)
            return False
        await self._answer(connection, block[: -len(END_BLOCK)], is_whole=True)
        return True

    async def _answer(self, connection: MllpConnection, message: bytes, *, is_whole: bool) -> None:
        answer = await asyncio.to_thread(partial(self._take, message, is_whole))
        connection.writer.write(START_BLOCK + answer + END_BLOCK + CARRIAGE_RETURN)
        await asyncio.wait_for(connection.writer.drain(), self.config.seconds)

    async def _read_rest(self, connection: MllpConnection) -> None:
        """Read what is sent still, for a while: else the sender may never see the answer."""
        if connection.writer.can_write_eof():
            connection.writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self.config.seconds, FINISH_SECONDS)):
                while await connection.reader.read(BEGINNING):
                    pass

    async def _finish(self) -> None:
        """End what is quiet at once, and the rest when it is answered, or after some seconds."""
        connections = list(self._connections)
        tasks = [each.task for each in connections if each.task is not None]
        for each in connections:
            if each.quiet_since is not None and each.task is not None:
                each.task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
