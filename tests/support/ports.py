"""Ports of loopback for servers of others, which cannot choose their own."""

import socket
from contextlib import ExitStack


def free_ports(number: int) -> list[int]:
    """Different ports that nobody has now."""
    with ExitStack() as stack:
        probes = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)
        ]
        return [int(probe.getsockname()[1]) for probe in probes]


def free_port() -> int:
    """A port that nobody has now."""
    (port,) = free_ports(1)
    return port


def listens(port: int) -> bool:
    """Tell whether somebody listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
