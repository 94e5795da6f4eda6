"""Uvicorn's protocol of HTTP/1.1, which tells after each step for whom its connection waits."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from worklist.http.connections import BODY_BYTES, Connection, Connections, Waits


class LimitedProtocol(H11Protocol):
    """The protocol of one connection. It is given its place among all connections before use."""

    connection: Connection
    all_connections: Connections

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        #: Bytes of a body since its clock started anew.
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; from here on the connection is ended by its transport, unread data or not."""
        super().connection_made(transport)
        self.flow = _ToldFlow(transport, self._note)
        self.connection.end = transport.abort

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.all_connections.remove(self.connection)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the next bytes."""
        self._received += len(data)
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        """Go on to the next request, or end."""
        super().on_response_complete()
        self._note()

    def pause_writing(self) -> None:
        """Wait for a client that does not take its answer."""
        super().pause_writing()
        self._note()

    def resume_writing(self) -> None:
        """Go on with an answer."""
        super().resume_writing()
        self._note()

    def _note(self) -> None:
        waits = self._waits()
        if waits is None:
            self.all_connections.work(self.connection)
        elif waits is not self.connection.waits or self._has_brought_much(waits):
            self._received = 0
            self.all_connections.wait(self.connection, waits)

    def _waits(self) -> Waits | None:
        """The thing that it waits for at the moment; None while the client waits for us."""
        if self.transport.is_closing() or self.flow.write_paused:
            return Waits.READER
        if self.conn.their_state is h11.IDLE:
            return Waits.HEAD
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return Waits.BODY
        return None

    def _has_brought_much(self, waits: Waits) -> bool:
        """See whether a body goes on, and somebody wants it: after the answer nobody does."""
        is_wanted = waits is Waits.BODY and self.conn.our_state is not h11.DONE
        return is_wanted and self._received >= BODY_BYTES


class _ToldFlow(FlowControl):
    """Flow control that tells when reading is paused, since the client then waits for us."""

    def __init__(self, transport: asyncio.Transport, changed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._changed = changed

    def pause_reading(self) -> None:
        super().pause_reading()
        self._changed()

    def resume_reading(self) -> None:
        super().resume_reading()
        self._changed()
