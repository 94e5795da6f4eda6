"""The mail of what a night changed: counts and a link, and nothing of a study or a patient."""

from email.message import EmailMessage

from db.lifecycle.outbox import DueNight
from readfirst.language.texts import gettext
from worker.delivery.mail import MailServer, plain_mail


def night_mail(due: DueNight, server: MailServer, page_url: str) -> EmailMessage:
    """The mail. Its Message-ID is the same at every attempt, so that a repetition is known."""
    night = due.night
    texts = (
        gettext("Ensemble {version} scored {scored} images again; {left} are left."),
        "",
        gettext("Newly flagged: {flagged} studies, of which {unread} are unread."),
        gettext("Flag withdrawn: {withdrawn} studies."),
        gettext("Read, for a second look: {second_look} studies."),
    )
    values = {
        "version": night.ensemble,
        "scored": night.scored,
        "left": night.left,
        "flagged": due.flagged,
        "unread": due.unread_flagged,
        "withdrawn": due.withdrawn,
        "second_look": due.second_look,
    }
    lines = [
        *(text.format(**values) for text in texts),
        "",
        f"{page_url}/watching/night?number={night.number}",
        "",
    ]
    subject = gettext("ReadFirst: night of {day}, {flagged} newly flagged").format(
        day=night.day, flagged=due.flagged
    )
    message = plain_mail(server, subject, "\n".join(lines))
    message["Message-ID"] = f"<{due.key}@{server.sender.rsplit('@', 1)[-1]}>"
    message["Date"] = due.since
    return message
