"""Structured logs on stderr: lines for a person at a terminal, JSON for everything else.

A log line carries `action`, UIDs or row ids; never a name, a birth date or a patient ID.
"""

import logging
import sys

import structlog

from readfirst.printable import printable


def configure_logs(level: str) -> None:
    """Set up structlog and the standard library's logging alike. level: as in the settings."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _write_out_unprintable,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    # Third parties speak up only when something is wrong.
    for name in ("alembic", "celery", "kombu", "watchdog", "uvicorn.access", "PIL", "pydicom"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    # They tell of every request, with its address.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its notices of what peers do wrong are ours to give, in our own words.
    logging.getLogger("pynetdicom").setLevel(logging.ERROR)
    # It warns of every further network that a process compiles.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _write_out_unprintable(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Let no value, as the name of a file, act on a terminal."""
    return {
        name: printable(value) if isinstance(value, str) else value for name, value in line.items()
    }
