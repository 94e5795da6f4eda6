"""Another system is told of flagged studies: signed, at least once, and nobody follows it anywhere.

Nothing leaves but the study's UID, the probability, the ensemble's version and the times.
"""

import hashlib
import hmac
import http.client
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog

from db.announcements import Due, claim_due, delivered, hold_back, not_delivered
from readfirst import __version__
from readfirst.prevalence import at_prevalence
from readfirst.settings import Settings
from worker.resources import Resources

log = structlog.get_logger()
#: Seconds that the receiver has: a worker that waits for it prepares no films.
TIMEOUT_SECONDS = 5.0
#: How long a worker that died may keep others from an announcement.
LEASE = timedelta(minutes=1)
#: The pause after the first failure; it doubles up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
#: After so long, nobody needs to be told any more.
GIVE_UP_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. answered: whether the receiver answered, and not with 5xx."""

    taken: bool
    answered: bool
    said: str


def announce_next(resources: Resources) -> bool:
    """Deliver the oldest announcement that is due. False when none is, or nobody answers."""
    settings = resources.settings
    if settings.webhook_url is None or settings.webhook_secret is None:
        return False
    with resources.database.write() as session:
        due = claim_due(session, datetime.now(UTC), LEASE)
    if due is None:
        return False
    answer = deliver(due, settings, datetime.now(UTC))
    _note(resources, due, answer)
    log.info("announced", action="announce", key=due.key, taken=answer.taken, said=answer.said)
    return answer.answered


def _note(resources: Resources, due: Due, answer: Answer) -> None:
    now = datetime.now(UTC)
    again_at = now + pause_after(due.attempts)
    with resources.database.write() as session:
        if answer.taken:
            delivered(session, due, now)
            return
        late = again_at - due.flagged_at > GIVE_UP_AFTER
        again = None if late else again_at
        not_delivered(session, due, answer.said, again_at=again, at=now)
        if not answer.answered:
            # All others would fail alike, and each attempt costs a worker's time.
            hold_back(session, again_at)


def pause_after(attempts: int) -> timedelta:
    """The pause before the next attempt. attempts: that had failed before this one."""
    pause = FIRST_PAUSE * float(2 ** min(attempts, 20))
    return min(pause, LONGEST_PAUSE)


def deliver(due: Due, settings: Settings, now: datetime) -> Answer:
    """Send one announcement. Only 2xx takes it; a redirection is not followed."""
    parts = urlsplit(settings.webhook_url or "")
    content = body(due, settings)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, content, headers(due.key, content, settings, now))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(taken=False, answered=False, said=type(error).__name__)
    finally:
        connection.close()
    return Answer(200 <= status < 300, status < 500, str(status))


def body(due: Due, settings: Settings) -> bytes:
    """What is told, as JSON; the probability is stated for the site's prevalence."""
    told = {
        "study_instance_uid": due.study_instance_uid,
        "probability": at_prevalence(due.probability, due.presupposed, settings.prevalence),
        "ensemble_version": due.ensemble_version,
        "received_at": due.received_at.isoformat(),
        "flagged_at": due.flagged_at.isoformat(),
    }
    return json.dumps(told).encode()


def headers(key: str, content: bytes, settings: Settings, now: datetime) -> dict[str, str]:
    """What goes with it: the key, the time of sending, and the signature over time and body."""
    stamp = str(int(now.timestamp()))
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    return {
        "Content-Type": "application/json",
        "User-Agent": f"ReadFirst/{__version__}",
        "Idempotency-Key": key,
        "ReadFirst-Timestamp": stamp,
        "ReadFirst-Signature": f"sha256={signature(secret, stamp, content)}",
    }


def signature(secret: str, stamp: str, content: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over the time stamp, a full stop and the body, in hexadecimal."""
    signed = stamp.encode() + b"." + content
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
