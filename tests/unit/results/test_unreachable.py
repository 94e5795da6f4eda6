"""The sentence for a destination at which nothing answers."""

import errno
import os
import socket

import pytest

from results.destinations.unreachable import nothing_answers

REFUSED = os.strerror(errno.ECONNREFUSED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, REFUSED), f" ({REFUSED})"),
        # As asyncio raises them, for one address and for several.
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 2999)"),
            f" ({REFUSED})",
        ),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 2999, 0, 0)"), ""),
        (TimeoutError(), " (no answer in time)"),
        (TimeoutError("timed out"), " (no answer in time)"),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            " (Name or service not known)",
        ),
    ],
)
def test_it_gives_the_systems_own_reason_and_no_addresses_twice(
    error: OSError, reason: str
) -> None:
    assert nothing_answers("ris.example:2575", error) == (
        f"Nothing answers at ris.example:2575{reason}. "
        "Is it running? Does a firewall let us through?"
    )
