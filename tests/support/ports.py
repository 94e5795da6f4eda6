"""Ports of loopback for servers of others, which cannot choose their own.

Such a server begins to listen some time after its port was chosen. So they are none that the system
gives to clients meanwhile (from 32768 on by Linux, 49152 by others), and none of another process of
tests: each has a block of its own as long as it runs.
"""

import socket
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final

BLOCK: Final = 200
BLOCKS: Final = range(20_000, 32_000, BLOCK)


def _unused() -> Iterator[int]:
    # The UDP port of the number with which a block begins says that the block is taken.
    with socket.socket(type=socket.SOCK_DGRAM) as sign:
        for port in cycle(_own_block(sign)):
            try:
                socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                continue
            yield port


def _own_block(sign: socket.socket) -> range:
    for first in BLOCKS:
        try:
            sign.bind(("127.0.0.1", first))
        except OSError:
            continue
        return range(first, first + BLOCK)
    raise RuntimeError("other processes have all blocks of ports")


_ports = _unused()


def free_ports(number: int) -> list[int]:
    """Different ports that nobody has, and that no other process is given."""
    return list(islice(_ports, number))


def free_port() -> int:
    """A port that nobody has, and that no other process is given."""
    (port,) = free_ports(1)
    return port


def listens(port: int) -> bool:
    """Tell whether somebody listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
