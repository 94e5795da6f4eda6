"""Messages of the outbox are delivered one after another, until they are taken or given up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from db.lifecycle.lease import LeasePolicy
from db.lifecycle.outbox import (
    Channel,
    Due,
    DueEscalation,
    DueMessage,
    DueNight,
    claim_due,
    defer_all,
    delivered,
    give_up,
    not_delivered,
)
from db.session import Database
from readfirst.language.languages import ENGLISH, NAMES, Language, language_of
from readfirst.language.texts import speaking
from readfirst.settings import Settings
from worker.delivery.attempt import DeliveryAttempt
from worker.delivery.escalation_message import escalation_mail
from worker.delivery.mail import MailServer, mail_server, night_mail_server, send_mail
from worker.delivery.night_message import night_mail
from worker.delivery.webhook import WebhookReceiver, send, webhook_receiver

log = structlog.get_logger()
#: How long a worker that died may keep others from a message, and the pauses after failures.
LEASE = LeasePolicy(
    lease=timedelta(minutes=1), first_pause=timedelta(seconds=5), longest_pause=timedelta(hours=1)
)
#: After so long, nobody needs to be told any more.
GIVE_UP_AFTER = timedelta(days=3)


#: Nobody is told of studies that were all read or acknowledged meanwhile, nor at a silent site.
NOTHING_LEFT = DeliveryAttempt(taken=True, answered=True, outcome="nothing left to tell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """Those whom a site tells. page_url: to which links in mails lead. language: of mails.

    mail: of escalations. night_mail: of nights. second_look: as in `db.nights.report`.
    silent: nobody is told of a flag, be it one of before.
    """

    webhook: WebhookReceiver | None = None
    mail: MailServer | None = None
    night_mail: MailServer | None = None
    page_url: str = ""
    language: Language = ENGLISH
    second_look: float = 1.0
    silent: bool = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that there are."""
        has = {Channel.WEBHOOK: self.webhook, Channel.MAIL: self.mail or self.night_mail}
        return tuple(channel for channel, receiver in has.items() if receiver is not None)


def receivers(settings: Settings) -> Receivers:
    """Those whom a site's settings name."""
    return Receivers(
        webhook=webhook_receiver(settings),
        mail=mail_server(settings),
        night_mail=night_mail_server(settings),
        page_url=settings.page_url or "",
        # Where each browser chooses, a mail has nobody to ask.
        language=language_of(settings.language) if settings.language in NAMES else ENGLISH,
        second_look=settings.second_look,
        silent=settings.is_silent,
    )


def deliver_next(database: Database, receivers: Receivers) -> bool:
    """Deliver the oldest message that is due. False when none is, or nobody answers."""
    if not receivers.channels:
        return False
    with database.write() as session:
        due = claim_due(
            session, datetime.now(UTC), LEASE, receivers.channels, receivers.second_look
        )
    if due is None:
        return False
    attempt = _send(due, receivers)
    _record(database, due, attempt)
    log.info(
        "announced",
        action="announce",
        key=due.key,
        channel=due.channel.value,
        taken=attempt.taken,
        said=attempt.outcome,
    )
    # Another channel may answer where this one does not.
    return attempt.answered or len(receivers.channels) > 1


def _send(due: Due, receivers: Receivers) -> DeliveryAttempt:
    if isinstance(due, DueEscalation) and not due.studies:
        return NOTHING_LEFT
    if isinstance(due, DueMessage) and receivers.silent:
        return NOTHING_LEFT
    if isinstance(due, DueNight):
        server = receivers.night_mail
        # Nobody is to be told of nights any more.
        return NOTHING_LEFT if server is None else _mail_night(due, server, receivers)
    if due.channel is Channel.WEBHOOK and receivers.webhook is not None:
        return send(due, receivers.webhook, datetime.now(UTC))
    if isinstance(due, DueEscalation) and receivers.mail is not None:
        with speaking(receivers.language):
            mail = escalation_mail(due, receivers.mail, receivers.page_url)
        return send_mail(mail, receivers.mail)
    raise ValueError(f"the message {due.key} has no way out")


def _mail_night(due: DueNight, server: MailServer, receivers: Receivers) -> DeliveryAttempt:
    with speaking(receivers.language):
        mail = night_mail(due, server, receivers.page_url)
    return send_mail(mail, server)


def _record(database: Database, due: Due, attempt: DeliveryAttempt) -> None:
    now = datetime.now(UTC)
    again_at = now + LEASE.pause(due.attempts)
    with database.write() as session:
        if attempt.taken:
            delivered(session, due, now)
            return
        if again_at - due.since > GIVE_UP_AFTER:
            give_up(session, due, attempt.outcome, now)
        else:
            not_delivered(session, due, attempt.outcome, now, LEASE)
        if not attempt.answered:
            # All others would fail alike, and each attempt costs a worker's time.
            defer_all(session, again_at, due.channel)
