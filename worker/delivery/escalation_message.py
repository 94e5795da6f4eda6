"""The messages of escalated studies: link, priority, waiting time, and nothing of a patient."""

import json
from datetime import datetime
from email.message import EmailMessage

from db.lifecycle.outbox import DueEscalation, EscalatedStudy
from readfirst.language.texts import gettext, ngettext
from worker.delivery.mail import MailServer, plain_mail

#: Studies that a mail names; of the others it says how many there are.
MOST_NAMED = 20


def escalation_mail(due: DueEscalation, server: MailServer, page_url: str) -> EmailMessage:
    """The mail. Its Message-ID is the same at every attempt, so that a repetition is known."""
    count = len(due.studies)
    subject = ngettext(
        "ReadFirst: {number} urgent study unread for too long",
        "ReadFirst: {number} urgent studies unread for too long",
        count,
    ).format(number=count)
    named = [_paragraph(study, due.since, page_url) for study in due.studies[:MOST_NAMED]]
    if count > MOST_NAMED:
        more = gettext("{number} more:").format(number=count - MOST_NAMED)
        named.append(f"{more} {page_url}/")
    end = gettext(
        "Open a study to read it, or to acknowledge this message. You get it once for each study."
    )
    message = plain_mail(server, subject, "\n\n".join([*named, end]) + "\n")
    message["Message-ID"] = f"<{due.key}@{server.sender.rsplit('@', 1)[-1]}>"
    message["Date"] = due.since
    return message


def trial_mail(server: MailServer, now: datetime, key: str) -> EmailMessage:
    """A mail that says nothing but that it came."""
    message = plain_mail(
        server,
        "ReadFirst: test",
        "Mails of ReadFirst come here: of urgent studies that nobody has read, or of nights.\n",
    )
    message["Message-ID"] = f"<{key}@{server.sender.rsplit('@', 1)[-1]}>"
    message["Date"] = now
    return message


def escalation_body(due: DueEscalation, page_url: str) -> bytes:
    """The message of the webhook, as JSON."""
    studies = [
        {
            "study_instance_uid": study.study_instance_uid,
            "priority": _priority(study),
            "received_at": study.received_at.isoformat(),
            "minutes_waiting": _minutes(study, due.since),
            "link": _link(study, page_url),
        }
        for study in due.studies
    ]
    message = {"type": "escalation", "escalated_at": due.since.isoformat(), "studies": studies}
    return json.dumps(message).encode()


def _paragraph(study: EscalatedStudy, at: datetime, page_url: str) -> str:
    text = gettext("flagged, unread {minutes} min after its arrival")
    if study.stat:
        text = gettext("STAT, unread {minutes} min after its arrival")
    return f"{text.format(minutes=_minutes(study, at))}\n{_link(study, page_url)}"


def _priority(study: EscalatedStudy) -> str:
    return "STAT" if study.stat else "flagged"


def _minutes(study: EscalatedStudy, at: datetime) -> int:
    return int((at - study.received_at).total_seconds() // 60)


def _link(study: EscalatedStudy, page_url: str) -> str:
    return f"{page_url}/studies/{study.study_instance_uid}"
