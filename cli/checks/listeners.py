"""The listeners for films and messages, as `readfirst doctor` sees them."""

import socket
from contextlib import suppress

from cli.common.checks import answer_text, from_database
from readfirst.errors import ReadFirstError
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

#: Seconds in which a listener on this machine answers.
DICOM_SECONDS, HL7_SECONDS = 3.0, 2.0


def check_listener(settings: Settings) -> CheckResult:
    """See whether the DICOM listener may run as it is set, and answers."""
    from ingest.receivers.listener_config import listener_config, reachable_host

    if not settings.receive:
        return CheckResult("listener", True, _off_text("READFIRST_RECEIVE"))
    try:
        config = listener_config(settings)
    except ReadFirstError as error:
        return CheckResult("listener", False, str(error), _change_setting())
    where = gettext("{title} on {address}").format(
        title=config.ae_title, address=f"{config.host}:{config.port}"
    )
    if config.port == 0:
        return CheckResult("listener", True, _free_port_text(where))
    well = _answers(reachable_host(config.host), config.port, DICOM_SECONDS)
    advice = gettext("Start it with `readfirst up` or `readfirst receive`, and see its log.")
    return CheckResult("listener", well, f"{where} {answer_text(well)}", advice)


def check_hl7(settings: Settings) -> CheckResult:
    """See whether the HL7 listener may run as it is set, answers, and has read all messages."""
    from ingest.hl7.listener_config import hl7_listener_config
    from ingest.receivers.listener_config import reachable_host

    if settings.hl7_port is None:
        return CheckResult("hl7", True, _off_text("READFIRST_HL7_PORT"))
    try:
        config = hl7_listener_config(settings)
    except ReadFirstError as error:
        return CheckResult("hl7", False, str(error), _change_setting())
    kept = _kept(settings)
    unread = gettext("{count} messages could not be read: see `readfirst hl7 list`.")
    warning = unread.format(count=kept) if kept else ""
    where = f"{config.host}:{config.port}"
    if config.port == 0:
        return CheckResult("hl7", True, _free_port_text(where), warning=warning)
    well = _answers(reachable_host(config.host), config.port, HL7_SECONDS)
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


def _off_text(setting: str) -> str:
    """Say that a part is off, and which setting switches it on."""
    return gettext("off ({setting})").format(setting=setting)


def _free_port_text(where: str) -> str:
    """Say that a listener takes any free port."""
    return gettext("{address}: any free port, named in its log").format(address=where)


def _change_setting() -> str:
    """Advise to change the setting that a sentence names."""
    return gettext("Change the setting, and start it again.")


def _answers(host: str, port: int, seconds: float) -> bool:
    with suppress(OSError):
        socket.create_connection((host, port), seconds).close()
        return True
    return False
