"""Another system is told of flagged and escalated studies: a signed request, followed nowhere.

Nothing leaves but studies' UIDs, probability or priority, the ensemble's version and the times.
"""

import hashlib
import hmac
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
from pydantic import SecretStr
from standardwebhooks import Webhook

from db.lifecycle.outbox import DueEscalation, DueMessage
from readfirst import __version__
from readfirst.access.webhook_key import signing_key
from readfirst.http_client import HttpRequest, exchange
from readfirst.settings import Settings
from readfirst.studies.prevalence import at_prevalence
from worker.delivery.attempt import DeliveryAttempt
from worker.delivery.escalation_message import escalation_body

#: Seconds that an attempt may take in all, from the look-up of the receiver's name to its answer:
#: a worker that waits for it prepares no films.
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """The other system. prevalence: share of pneumonia for which it is told probabilities.

    page_url: to which links lead; None where nothing is escalated.
    """

    url: str
    secret: SecretStr
    prevalence: float | None = None
    page_url: str | None = None


def webhook_receiver(settings: Settings) -> WebhookReceiver | None:
    """The system that a site wants to be told; None if it wants none."""
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return WebhookReceiver(
        settings.webhook_url, settings.webhook_secret, settings.prevalence, settings.page_url
    )


def send(
    due: DueMessage | DueEscalation,
    receiver: WebhookReceiver,
    now: datetime,
    deadline: float = TIMEOUT_SECONDS,
) -> DeliveryAttempt:
    """Send one message. Only 2xx takes it; a redirection is not followed.

    deadline: seconds for all of it, however slowly the receiver goes on.
    """
    if isinstance(due, DueEscalation):
        content = escalation_body(due, receiver.page_url or "")
    else:
        content = body(due, receiver.prevalence)
    request_headers = headers(due.key, content, receiver.secret, now)
    try:
        request = HttpRequest(
            method="POST",
            url=receiver.url,
            content=content,
            headers=request_headers,
            # Authorities are the machine's, or those that SSL_CERT_FILE names.
            trusted=ssl.create_default_context(),
        )
        status = exchange(request, deadline).status
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        return DeliveryAttempt(taken=False, answered=False, outcome=type(error).__name__)
    return DeliveryAttempt(200 <= status < 300, status < 500, str(status))


def body(due: DueMessage, prevalence: float | None) -> bytes:
    """The message as JSON; the probability is stated for the site's prevalence."""
    message = {
        "study_instance_uid": due.study_instance_uid,
        "probability": at_prevalence(due.probability, due.presupposed, prevalence),
        "ensemble_version": due.ensemble_version,
        "received_at": due.received_at.isoformat(),
        "flagged_at": due.flagged_at.isoformat(),
    }
    if due.study_instance_uid_made_here:
        message["study_instance_uid_made_here"] = True
    return json.dumps(message).encode()


def headers(key: str, content: bytes, secret: SecretStr, now: datetime) -> dict[str, str]:
    """Give the headers: those of Standard Webhooks, and for one release those before them.

    Standard Webhooks 1.0.0 signs key, time of sending and body, joined by full stops.
    """
    stamp = str(int(now.timestamp()))
    signer = Webhook(signing_key(secret.get_secret_value()))
    return {
        "Content-Type": "application/json",
        "User-Agent": f"ReadFirst/{__version__}",
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": signer.sign(key, now.astimezone(UTC), content.decode()),
        "Idempotency-Key": key,
        "ReadFirst-Timestamp": stamp,
        "ReadFirst-Signature": f"sha256={signature(secret.get_secret_value(), stamp, content)}",
    }


def signature(secret: str, stamp: str, content: bytes) -> str:
    """Sign time stamp, full stop and body by HMAC-SHA256 (RFC 2104), in hexadecimal.

    It is the signature of releases before Standard Webhooks; its key is the secret as it is.
    """
    signed = stamp.encode() + b"." + content
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
