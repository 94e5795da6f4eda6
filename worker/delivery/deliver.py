"""Messages of the outbox are delivered one after another, until they are taken or given up."""

from datetime import UTC, datetime, timedelta

import structlog

from db.lifecycle.lease import LeasePolicy
from db.lifecycle.outbox import (
    DueMessage,
    claim_due,
    defer_all,
    delivered,
    give_up,
    not_delivered,
)
from db.session import Database
from worker.delivery.webhook import DeliveryAttempt, WebhookReceiver, send

log = structlog.get_logger()
#: How long a worker that died may keep others from a message, and the pauses after failures.
LEASE = LeasePolicy(
    lease=timedelta(minutes=1), first_pause=timedelta(seconds=5), longest_pause=timedelta(hours=1)
)
#: After so long, nobody needs to be told any more.
GIVE_UP_AFTER = timedelta(days=3)


def deliver_next(database: Database, receiver: WebhookReceiver | None) -> bool:
    """Deliver the oldest message that is due. False when none is, or nobody answers."""
    if receiver is None:
        return False
    with database.write() as session:
        due = claim_due(session, datetime.now(UTC), LEASE)
    if due is None:
        return False
    attempt = send(due, receiver, datetime.now(UTC))
    _record(database, due, attempt)
    log.info("announced", action="announce", key=due.key, taken=attempt.taken, said=attempt.outcome)
    return attempt.answered


def _record(database: Database, due: DueMessage, attempt: DeliveryAttempt) -> None:
    now = datetime.now(UTC)
    again_at = now + LEASE.pause(due.attempts)
    with database.write() as session:
        if attempt.taken:
            delivered(session, due, now)
            return
        if again_at - due.flagged_at > GIVE_UP_AFTER:
            give_up(session, due, attempt.outcome, now)
        else:
            not_delivered(session, due, attempt.outcome, now, LEASE)
        if not attempt.answered:
            # All others would fail alike, and each attempt costs a worker's time.
            defer_all(session, again_at)
