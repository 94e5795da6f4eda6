"""Names that no server resolves."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def no_name_is_resolved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every look-up hang until the end of the block, which fails if one has ended before."""
    resolve, resolved = threading.Event(), threading.Event()

    def hanging(*_: object, **__: object) -> list[Any]:
        resolve.wait(60)
        resolved.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    try:
        yield
        assert not resolved.is_set()
    finally:
        resolve.set()
