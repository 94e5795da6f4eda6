"""The acceptor of connections: it accepts whatever happens, and lets in no more than there may be.

Asyncio's own server writes a line for each connection that cannot be accepted, thousands a second,
where there are no more file descriptors.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from readfirst.access.addresses import network_of
from worklist.http.connections import HEAD_SECONDS, Connection, Connections
from worklist.http.limited_protocol import LimitedProtocol

log = structlog.get_logger()
#: Seconds until the next try, where a connection could not be accepted.
RETRY_SECONDS = 0.1
#: Seconds between two lines of the log about connections that were not let in.
SILENCE_SECONDS = 60.0
#: Seconds that the end of TLS may take.
TLS_END_SECONDS = 5.0


class Acceptor:
    """Accepts from sockets that listen, until it is closed.

    new_protocol: makes the protocol of one connection. is_shared: tells of an address whether many
    clients may have it.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        connections: Connections,
        new_protocol: Callable[[], LimitedProtocol],
        tls: ssl.SSLContext | None,
        is_shared: Callable[[str], bool],
    ) -> None:
        self.sockets = sockets
        self._connections = connections
        self._new_protocol = new_protocol
        self._tls = tls
        self._is_shared = is_shared
        self._not_let_in = 0
        self._silent_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, backlog: int) -> None:
        """Begin to accept. backlog: connections that the system holds until they are accepted."""
        for listener in self.sockets:
            listener.setblocking(False)
            listener.listen(backlog)
            self._listen(listener)

    def close(self) -> None:
        """Accept no more."""
        loop = asyncio.get_running_loop()
        for listener in self.sockets:
            loop.remove_reader(listener)
            listener.close()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Accept one: a crowd that comes at once must not keep those who are in waiting.

        `loop.sock_accept` loses the connection that it has accepted when it is cancelled.
        """
        try:
            client, address = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # No file descriptors, or no memory; whoever broke off meanwhile is no loss.
            self._complain(error.strerror or type(error).__name__)
            loop = asyncio.get_running_loop()
            loop.remove_reader(listener)
            loop.call_later(RETRY_SECONDS, self._listen, listener)
            return
        client.setblocking(False)
        # An answer leaves at once, in however many parts. Asyncio sets this on sockets of its own
        # alone; a client that has gone already has no such option on some systems.
        with suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._let_in(client, address[0])

    def _let_in(self, client: socket.socket, address: str) -> None:
        is_shared = self._is_shared(address)
        connection = self._connections.admit(network_of(address), client.close, alone=not is_shared)
        if connection is None:
            client.close()
            self._complain("as many connections as may be")
            return
        task = asyncio.get_running_loop().create_task(self._serve(client, connection))
        self._tasks.add(task)
        task.add_done_callback(partial(self._served, client, connection))
        # Until there is a protocol, which ends it by its transport.
        connection.end = task.cancel

    async def _serve(self, client: socket.socket, connection: Connection) -> None:
        """Make the connection's protocol, after the handshake of TLS; then the loop calls it."""

        def new_protocol() -> LimitedProtocol:
            protocol = self._new_protocol()
            protocol.connection, protocol.all_connections = connection, self._connections
            return protocol

        seconds = (HEAD_SECONDS, TLS_END_SECONDS) if self._tls else (None, None)
        await asyncio.get_running_loop().connect_accepted_socket(
            new_protocol,
            client,
            ssl=self._tls,
            ssl_handshake_timeout=seconds[0],
            ssl_shutdown_timeout=seconds[1],
        )

    def _served(
        self, client: socket.socket, connection: Connection, task: asyncio.Task[None]
    ) -> None:
        """Close what got no protocol. A task that is cancelled before its first step runs none of
        its own code, so this stands outside it.
        """
        self._tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return
        # Whoever broke off in the handshake, did not finish it in time, or had to make room.
        self._connections.remove(connection)
        client.close()
        if not isinstance(error, OSError | asyncio.CancelledError):
            raise error

    def _complain(self, reason: str) -> None:
        """Say that connections are not let in, and how many since it was last said."""
        self._not_let_in += 1
        if time.monotonic() < self._silent_until:
            return
        log.warning("not_let_in", action="serve", connections=self._not_let_in, reason=reason)
        self._not_let_in, self._silent_until = 0, time.monotonic() + SILENCE_SECONDS
