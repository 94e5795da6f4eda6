"""The sentence for an address at which nothing answers, whatever the protocol."""

import os
import socket


def nothing_answers(where: str, error: OSError) -> str:
    """Say that nothing answers at an address, and what to look at. where: host and port."""
    reason = _reason(error)
    because = f" ({reason})" if reason else ""
    return f"Nothing answers at {where}{because}. Is it running? Does a firewall let us through?"


def _reason(error: OSError) -> str:
    """The system's own words; asyncio puts addresses in their stead, which say nothing more."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return error.strerror or ""
    # Of several addresses that were tried, asyncio names no number.
    return os.strerror(error.errno) if error.errno else ""
