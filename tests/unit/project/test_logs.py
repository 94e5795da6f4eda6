"""Tests that run commands in process set up the logs, and others still capture them."""

import structlog

from readfirst.logs import configure_logs

log = structlog.get_logger()


def test_a_logger_that_a_command_has_used_can_be_captured() -> None:
    configure_logs("warning")
    log.error("first")
    configure_logs("warning")
    with structlog.testing.capture_logs() as lines:
        log.error("second")
    assert [line["event"] for line in lines] == ["second"]
