"""The server of the page: one that ends the streams of events before it waits for connections."""

import socket

import uvicorn
from fastapi import FastAPI

from worklist.api.events import Streams
from worklist.security.terms import TlsFiles

#: Seconds that answers under way have when the server is asked to stop.
STOP_SECONDS = 10


class Server(uvicorn.Server):
    """Uvicorn, which would wait for ever for a stream that never ends by itself."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._streams.close()
        await super().shutdown(sockets)


def make_server(app: FastAPI, host: str, port: int, tls: TlsFiles | None = None) -> Server:
    """The server of an application made by `worklist.app.make_app`."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # The application itself knows which proxies to trust.
        proxy_headers=False,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return Server(config, app.state.streams)
