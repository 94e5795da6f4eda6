"""The mail of what a night changed: counts and a link, and nothing of a study or a patient."""

from email.message import EmailMessage

from db.lifecycle.outbox import DueNight
from worker.delivery.mail import MailServer, plain_mail


def night_mail(due: DueNight, server: MailServer, page_url: str) -> EmailMessage:
    """The mail. Its Message-ID is the same at every attempt, so that a repetition is known."""
    night = due.night
    lines = [
        f"Ensemble {night.ensemble} scored {night.scored} images again; {night.left} are left.",
        "",
        f"Newly flagged: {due.flagged} studies, of which {due.unread_flagged} are unread.",
        f"Flag withdrawn: {due.withdrawn} studies.",
        f"Read, for a second look: {due.second_look} studies.",
        "",
        f"{page_url}/watching/night?number={night.number}",
        "",
    ]
    subject = f"ReadFirst: night of {night.day}, {due.flagged} newly flagged"
    message = plain_mail(server, subject, "\n".join(lines))
    message["Message-ID"] = f"<{due.key}@{server.sender.rsplit('@', 1)[-1]}>"
    message["Date"] = due.since
    return message
