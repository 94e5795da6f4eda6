"""Logs of tests: what one sets up, as a command that it runs, no other one sees."""

import logging
from typing import Any

import pytest
import structlog

_configure = structlog.configure
#: As structlog has it, but for tracebacks: to draw one takes as long as twenty steps of a worker.
_INITIAL = structlog.get_config() | {"cache_logger_on_first_use": False}
_INITIAL["processors"] = [
    *_INITIAL["processors"][:-1],
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
]
_INITIAL_LEVEL = logging.getLogger().level


def keep_no_logger() -> None:
    """Let loggers in this process follow each change, from now on.

    A logger that keeps its first configuration would write to a terminal that a test has closed,
    and its lines could not be captured.
    """

    def configure(**options: Any) -> None:
        _configure(**options | {"cache_logger_on_first_use": False})

    pytest.MonkeyPatch().setattr(structlog, "configure", configure)


def reset_logs() -> None:
    """Undo what changed the configuration of structlog, and the handlers of the root."""
    _configure(**_INITIAL | {"processors": list(_INITIAL["processors"])})
    root = logging.getLogger()
    root.setLevel(_INITIAL_LEVEL)
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
