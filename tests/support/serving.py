"""The page's real server on a real socket, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.doctor import CHECKS
from readfirst.settings import Settings
from tests.support.waiting import in_background, wait_until
from worklist.app import make_app
from worklist.server import Server, make_server


@contextmanager
def served(settings: Settings) -> Iterator[tuple[str, Server]]:
    """Address and server, on a free port; it has ended when the block has."""
    server = make_server(make_app(settings, checks=CHECKS), "127.0.0.1", 0)

    def stop() -> None:
        server.should_exit = True

    # A stream that would keep the server is noticed here.
    with in_background(server.run, stop) as thread:
        wait_until(lambda: server.started or not thread.is_alive(), pause=0.02)
        assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", server
