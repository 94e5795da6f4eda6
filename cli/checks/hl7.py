"""The HL7 listener, as `readfirst doctor` sees it."""

import socket
from contextlib import suppress

from cli.common.checks import (
    answer_text,
    change_setting,
    free_port_text,
    from_database,
    off_text,
)
from readfirst.errors import ReadFirstError
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

#: Seconds in which a listener on this machine answers.
ANSWER_SECONDS = 2.0


def check_hl7(settings: Settings) -> CheckResult:
    """See whether the HL7 listener may run as it is set, answers, and has read all messages."""
    from ingest.hl7.listener_config import hl7_listener_config
    from ingest.receivers.listener_config import reachable_host

    if settings.hl7_port is None:
        return CheckResult("hl7", True, off_text("READFIRST_HL7_PORT"))
    try:
        config = hl7_listener_config(settings)
    except ReadFirstError as error:
        return CheckResult("hl7", False, str(error), change_setting())
    kept = _kept(settings)
    unread = gettext("{count} messages could not be read: see `readfirst hl7 list`.")
    warning = unread.format(count=kept) if kept else ""
    where = f"{config.host}:{config.port}"
    if config.port == 0:
        return CheckResult("hl7", True, free_port_text(where), warning=warning)
    well = _answers(reachable_host(config.host), config.port)
    return CheckResult(
        "hl7",
        well,
        f"{where} {answer_text(well)}",
        gettext("Start it with `readfirst up` or `readfirst mllp`, and see its log."),
        warning=warning,
    )


def _kept(settings: Settings) -> int:
    from db.ris.messages import kept_count

    return from_database(settings, kept_count) or 0


def _answers(host: str, port: int) -> bool:
    with suppress(OSError):
        socket.create_connection((host, port), ANSWER_SECONDS).close()
        return True
    return False
