"""The sockets on which the page listens: whoever holds them open keeps the port."""

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack

from readfirst.errors import Misconfigured


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on all addresses of a host; port 0 takes a free port of its first address.

    A connection waits until a server accepts it. Raises Misconfigured if it cannot be listened on.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = list(dict.fromkeys((family, address) for family, *_, address in infos))
        with ExitStack() as opened:
            sockets = [
                opened.enter_context(socket.create_server(address, family=family))
                for family, address in (addresses if port else addresses[:1])
            ]
            opened.pop_all()
            return sockets
    except OSError as error:
        unknown_name = isinstance(error, socket.gaierror)
        reason = error.strerror if unknown_name else os.strerror(error.errno or 0)
        raise Misconfigured(
            f"{host}:{port} is not free: {reason}. "
            "Set READFIRST_PORT to another port, or to 0 for any."
        ) from error


def inherited(descriptors: Sequence[int]) -> list[socket.socket]:
    """Take over the sockets that the supervisor opened for this process."""
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def port_of(sockets: Sequence[socket.socket]) -> int:
    """The port on which they listen."""
    return int(sockets[0].getsockname()[1])
