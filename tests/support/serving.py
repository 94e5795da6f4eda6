"""The page's real server on a real socket, for tests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from cli.doctor import CHECKS
from readfirst.settings import Settings
from tests.support.waiting import in_background, wait_until
from worklist.app import make_app
from worklist.server import Server, make_server


@contextmanager
def served(settings: Settings, port: socket.socket | None = None) -> Iterator[tuple[str, Server]]:
    """Address and server; it has ended when the block has.

    port: a bound socket of which the server takes a copy, else it is on a free port.
    """
    server = make_server(make_app(settings, checks=CHECKS), "127.0.0.1", 0)

    def run() -> None:
        server.run(None if port is None else [port.dup()])

    def stop() -> None:
        server.should_exit = True

    # A stream that would keep the server is noticed here.
    with in_background(run, stop) as thread:
        wait_until(lambda: server.started or not thread.is_alive(), pause=0.02)
        assert thread.is_alive()
        number = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{number}", server
