"""The server of the page: uvicorn, with limits of its connections, and an end of its streams."""

import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from readfirst.access.addresses import shared_addresses
from readfirst.settings import Settings
from worklist.http.accepting import Acceptor
from worklist.http.connection_limits import connection_limits
from worklist.http.connections import Connections
from worklist.http.limited_protocol import LimitedProtocol
from worklist.security.access_policy import TlsFiles
from worklist.services.streams import Streams

#: Seconds that answers under way have when the server is asked to stop.
STOP_SECONDS = 10


class Server(uvicorn.Server):
    """Uvicorn, which has no deadline for a request that does not come whole, and would wait for
    ever for a stream that never ends by itself.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        streams: Streams,
        connections: Connections,
        is_shared: Callable[[str], bool],
    ) -> None:
        super().__init__(config)
        self._streams = streams
        self._connections = connections
        self._is_shared = is_shared

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and then accept connections."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        listeners = sockets or [self.config.bind_socket()]
        acceptor = Acceptor(
            listeners, self._connections, self._new_protocol, self.config.ssl, self._is_shared
        )
        acceptor.start(self.config.backlog)
        # As far as uvicorn uses its servers, this is one.
        self.servers = [acceptor]  # type: ignore[list-item]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Look every second, of ten ticks, for clients that took too long."""
        if counter % 10 == 0:
            self._connections.end_overdue()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._streams.close()
        await super().shutdown(sockets)

    def _new_protocol(self) -> LimitedProtocol:
        return LimitedProtocol(self.config, self.server_state, self.lifespan.state)


def make_server(app: FastAPI, host: str, port: int, tls: TlsFiles | None = None) -> Server:
    """The server of an application made by `worklist.app.make_app`."""
    settings: Settings = app.state.settings
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # Its own, whatever else is installed: `Server` makes the protocol of each connection.
        loop="asyncio",
        http=LimitedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # The application itself knows which proxies to trust.
        proxy_headers=False,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    connections = Connections(connection_limits(settings.connections))
    return Server(
        config, app.state.streams, connections, shared_addresses(settings.trusted_proxies)
    )
