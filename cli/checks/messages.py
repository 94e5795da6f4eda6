"""Messages by mail and webhook, as `readfirst doctor` sees them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.common.checks import answer_text, from_database
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

if TYPE_CHECKING:
    from db.lifecycle.outbox import OutboxCounts


def check_messages(settings: Settings) -> CheckResult:
    """See whether the mail server lets ReadFirst in, and whether messages wait or were given up."""
    from db.lifecycle.outbox import Channel, outbox_counts
    from worker.delivery.mail import mail_server, night_mail_server, try_server

    if settings.escalate_after_minutes is None and not settings.nightly_mail_to:
        none = gettext("no escalation (READFIRST_ESCALATE_AFTER_MINUTES)")
        return CheckResult("messages", True, none)
    counts = (
        from_database(
            settings, lambda session: [outbox_counts(session, channel) for channel in Channel]
        )
        or []
    )
    warning = _undelivered(counts)
    found = _messages(settings)
    server = mail_server(settings) or night_mail_server(settings)
    if server is None:
        return CheckResult("messages", True, found, warning=warning)
    attempt = try_server(server)
    where = f"{found}; {server.host}:{server.port} ({server.security})"
    failed = gettext("failed: {reason}")
    answer = answer_text(True) if attempt.taken else failed.format(reason=attempt.outcome)
    return CheckResult(
        "messages",
        attempt.taken,
        f"{where} {answer}",
        gettext(
            "Check READFIRST_SMTP_HOST, _PORT, _SECURITY, _USER and the password; "
            "`readfirst doctor --send-test-mail` sends a mail."
        ),
        warning=warning,
    )


def _undelivered(counts: Sequence["OutboxCounts"]) -> str:
    """Say what was given up and what waits; nothing where all is delivered."""
    given_up = sum(each.given_up for each in counts)
    failed = [each for each in counts if each.last_error]
    parts = []
    if given_up:
        text = gettext("{count} messages were given up after days.")
        parts.append(text.format(count=given_up))
    if failed:
        text = gettext("{count} wait after a failed attempt ({reason}).")
        waiting = sum(each.waiting for each in failed)
        parts.append(text.format(count=waiting, reason=failed[0].last_error))
    return " ".join(parts)


def _messages(settings: Settings) -> str:
    """Say which messages there are."""
    minutes = settings.escalate_after_minutes
    escalation = gettext("escalation after {minutes} min by {way}")
    parts = [escalation.format(minutes=minutes, way=settings.escalate_by)] if minutes else []
    return "; ".join([*parts, *([gettext("nights by mail")] if settings.nightly_mail_to else [])])
