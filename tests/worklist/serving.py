"""The page's real server on a real socket, for tests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from readfirst.settings import Settings
from worklist.app import make_app
from worklist.server import Server, make_server


@contextmanager
def served(settings: Settings) -> Iterator[tuple[str, Server]]:
    """Address and server, on a free port; it has ended when the block has."""
    server = make_server(make_app(settings), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "a stream kept the server"
