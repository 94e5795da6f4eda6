"""Mails of escalated studies in the language of the site."""

from datetime import UTC, datetime, timedelta

from db.lifecycle.lease import Lease
from db.lifecycle.outbox import Channel, DueEscalation, EscalatedStudy
from readfirst.language.languages import language_of
from readfirst.language.texts import speaking
from readfirst.settings import Settings
from worker.delivery.deliver import receivers
from worker.delivery.escalation_message import escalation_mail
from worker.delivery.mail import MailServer

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SERVER = MailServer(
    host="mail.example",
    port=587,
    security="starttls",
    user=None,
    password=None,
    password_file=None,
    sender="readfirst@hospital.example",
    receivers=("lead@hospital.example",),
)
STUDIES = (
    EscalatedStudy(study_instance_uid="1.2.3", stat=True, received_at=NOW - timedelta(minutes=40)),
    EscalatedStudy(study_instance_uid="1.2.4", stat=False, received_at=NOW - timedelta(minutes=35)),
)
DUE = DueEscalation(
    lease=Lease(1, "token"), key="key", channel=Channel.MAIL, since=NOW, attempts=1, studies=STUDIES
)


def test_a_mail_is_in_english_and_its_links_are_whole() -> None:
    mail = escalation_mail(DUE, SERVER, "https://readfirst.example")
    assert mail["Subject"] == "ReadFirst: 2 urgent studies unread for too long"
    assert "STAT, unread 40 min after its arrival\n" in mail.get_content()
    assert b"https://readfirst.example/studies/1.2.4\n" in mail.as_bytes()


def test_a_mail_is_in_the_language_of_the_site() -> None:
    with speaking(language_of("de")):
        mail = escalation_mail(DUE, SERVER, "https://readfirst.example")
    assert mail["Subject"] == "ReadFirst: 2 dringende Untersuchungen zu lange unbefundet"
    text = mail.get_content()
    assert "Notfall, unbefundet 40 min nach dem Eingang\n" in text
    assert "auffällig, unbefundet 35 min nach dem Eingang\n" in text
    assert "https://readfirst.example/studies/1.2.4\n" in text
    assert mail.as_bytes().isascii()


def test_the_setting_is_the_language_of_mails(settings: Settings) -> None:
    for setting, code in (("de", "de"), ("en", "en"), ("auto", "en")):
        site = settings.model_copy(update={"language": setting})
        assert receivers(site).language.code == code
