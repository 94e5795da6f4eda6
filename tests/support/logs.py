"""Logs of tests: what one sets up, as a command that it runs, is undone after it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

_configure = structlog.configure


def keep_no_logger() -> None:
    """Let loggers in this process follow each change, from now on.

    A logger that keeps its first configuration would write to a terminal that a test has closed,
    and its lines could not be captured.
    """

    def configure(**options: Any) -> None:
        _configure(**options | {"cache_logger_on_first_use": False})

    pytest.MonkeyPatch().setattr(structlog, "configure", configure)


@contextmanager
def logs_undone() -> Iterator[None]:
    """Undo what the block changes of structlog's configuration, and of the handlers of the root."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**config)
    root.setLevel(level)
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler and handler not in handlers:
            root.removeHandler(handler)
