"""A real mail server and a real receiver of webhooks are told of what nobody has read in time."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from typer.testing import CliRunner

from cli import app
from db.access.audit import Actor
from db.lifecycle.outbox import Channel, OutboxCounts, outbox_counts
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import OutboxMessage
from tests.integration.worker.test_webhook import SECRET, receiving
from tests.support import smtp
from tests.support.killable_sender import HERE
from tests.support.smtp import Mailbox, authority_and_context
from tests.support.studies import a_header, a_scored_image, give_verdict
from tests.support.waiting import TIMEOUT
from tests.support.workers import Worker
from worker.delivery.deliver import LEASE
from worker.delivery.escalation_message import MOST_NAMED, trial_mail
from worker.delivery.mail import DEADLINE_SECONDS, MailServer, send_mail, try_server

#: The project's folder, in which `tests` is a package.
ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)
ARRIVED = NOW - timedelta(minutes=45)
PAGE = "https://readfirst.hospital.example"
SENDER, RECEIVERS = "readfirst@hospital.example", ("lead@hospital.example", "a@hospital.example")
LOGIN = ("readfirst", "a password of this site")


@pytest.fixture
def worklist(database: Database) -> Database:
    """A STAT and a flagged study, 45 minutes old."""
    with database.write() as session:
        named = a_header(stat=True, patient_name="Ruiz^Ana", patient_id="P-9")
        a_scored_image(session, ARRIVED, probability=0.1, study="1.1", header=named)
        a_scored_image(session, ARRIVED, probability=0.9, study="1.2")
    return database


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp.mail_server(Mailbox(security="none")) as box:
        yield box


def mailing(worker: Worker, box: Mailbox, **changes: Any) -> Worker:
    chosen = {
        "escalate_after_minutes": 30,
        "page_url": PAGE,
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": box.security,
        "mail_from": SENDER,
        "mail_to": RECEIVERS,
    }
    return worker.with_settings(**(chosen | changes))


def counts(database: Database, channel: Channel = Channel.MAIL) -> OutboxCounts:
    with database.read() as session:
        return outbox_counts(session, channel)


def let_time_pass(database: Database) -> None:
    with database.write() as session:
        session.execute(update(OutboxMessage).values(lease_until=NOW - timedelta(days=1)))


def test_one_mail_tells_of_all_and_names_no_patient(
    worker: Worker, worklist: Database, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    sender = mailing(worker, mailbox)
    assert sender.escalate() == 2
    assert sender.escalate() == 0
    assert sender.deliver_next()
    assert not sender.deliver_next()
    (mail,) = mailbox.mails
    assert mailbox.receivers == [list(RECEIVERS)]
    assert mail["Subject"] == "ReadFirst: 2 urgent studies unread for too long"
    assert (mail["From"], mail["To"]) == (SENDER, ", ".join(RECEIVERS))
    assert mail["Auto-Submitted"] == "auto-generated"
    text = str(mail.get_payload()).replace("\r\n", "\n")
    assert re.search(r"STAT, unread \d\d min after its arrival\nhttps://readfirst.hospital", text)
    assert re.search(r"flagged, unread \d\d min after its arrival", text)
    assert f"{PAGE}/studies/1.1" in text
    for hidden in ("Ruiz", "Ana", "P-9"):
        assert hidden not in mail.as_string()
        assert hidden not in caplog.text
    assert counts(worklist).waiting == 0


def test_a_digest_names_some_and_counts_the_others(
    worker: Worker, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        for number in range(MOST_NAMED + 2):
            a_scored_image(session, ARRIVED, probability=0.9, study=f"1.{number}")
    sender = mailing(worker, mailbox)
    assert sender.escalate() == MOST_NAMED + 2
    sender.deliver_next()
    (mail,) = mailbox.mails
    assert str(mail.get_payload()).count("/studies/") == MOST_NAMED
    assert f"2 more: {PAGE}/" in mail.get_payload()


def test_a_server_that_fails_is_tried_again_with_the_same_message(
    worker: Worker, worklist: Database, mailbox: Mailbox
) -> None:
    mailbox.replies = ["451 later", "250 taken, and forgotten"]
    sender = mailing(worker, mailbox)
    sender.escalate()
    assert not sender.deliver_next()
    assert counts(worklist).last_error == "SMTPDataError 451"
    assert not sender.deliver_next(), "not before its pause is over"
    let_time_pass(worklist)
    assert sender.deliver_next()
    assert (len(mailbox.mails), counts(worklist).waiting) == (1, 0)


def test_what_was_read_meanwhile_is_not_told(
    worker: Worker, worklist: Database, mailbox: Mailbox
) -> None:
    sender = mailing(worker, mailbox)
    sender.escalate()
    with worklist.write() as session:
        for uid in ("1.1", "1.2"):
            give_verdict(session, uid, VerdictInput(), Actor(None, None), NOW)
    assert sender.deliver_next()
    assert mailbox.mails == []
    assert counts(worklist).waiting == 0


def test_nobody_is_told_where_nothing_is_set(worker: Worker, worklist: Database) -> None:
    assert worker.escalate() == 0
    assert counts(worklist).waiting == 0


@pytest.mark.integration
def test_a_webhook_is_told_once_signed_and_by_its_type(worker: Worker, worklist: Database) -> None:
    with receiving() as receiver:
        sender = worker.with_settings(
            webhook_url=receiver.address,
            webhook_secret=SecretStr(SECRET),
            escalate_after_minutes=30,
            escalate_by="webhook",
            page_url=PAGE,
        )
        sender.escalate()
        assert sender.deliver_next()
        assert not sender.deliver_next()
    ((_, headers, content),) = receiver.heard
    body = json.loads(content)
    assert body["type"] == "escalation"
    assert [study.pop("received_at") for study in body["studies"]] == [ARRIVED.isoformat()] * 2
    assert all(study.pop("minutes_waiting") >= 45 for study in body["studies"])
    assert body["studies"] == [
        {"study_instance_uid": uid, "priority": priority, "link": link}
        for uid, priority, link in (
            ("1.1", "STAT", f"{PAGE}/studies/1.1"),
            ("1.2", "flagged", f"{PAGE}/studies/1.2"),
        )
    ]
    assert headers["webhook-signature"]


@pytest.mark.integration
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_a_server_that_is_trusted_gets_password_and_mail(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = authority_and_context()
    pem, password = tmp_path / "ca.pem", tmp_path / "password"
    authority.cert_pem.write_to_path(pem)
    password.write_text(LOGIN[1] + "\n")
    with smtp.mail_server(Mailbox(security=security, tls=context, login=LOGIN)) as box:
        server = a_server(box, user=LOGIN[0], password_file=password)
        stranger = send_mail(trial_mail(server, NOW, "1"), server)
        assert (stranger.taken, stranger.outcome) == (False, "SSLCertVerificationError")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert try_server(server).taken
        assert send_mail(trial_mail(server, NOW, "1"), server).taken
        password.write_text("another")
        assert try_server(server).outcome == "SMTPAuthenticationError 535"
        password.unlink()
        assert try_server(server).outcome == "FileNotFoundError"
    assert (len(box.mails), box.encrypted) == (1, [True])


@pytest.mark.integration
def test_no_mail_goes_in_the_clear_where_tls_is_wanted(mailbox: Mailbox) -> None:
    server = a_server(mailbox, security="starttls")
    attempt = send_mail(trial_mail(server, NOW, "1"), server)
    assert (attempt.taken, attempt.outcome) == (False, "SMTPNotSupportedError")
    assert mailbox.mails == []


@pytest.mark.integration
def test_receivers_that_are_refused_hinder_no_others(mailbox: Mailbox) -> None:
    mailbox.refused = frozenset(RECEIVERS[:1])
    server = a_server(mailbox)
    attempt = send_mail(trial_mail(server, NOW, "1"), server)
    assert (attempt.taken, attempt.outcome) == (True, "refused for 1 of 2")
    mailbox.refused = frozenset(RECEIVERS)
    attempt = send_mail(trial_mail(server, NOW, "1"), server)
    assert (attempt.taken, attempt.outcome) == (False, "SMTPRecipientsRefused")


@pytest.mark.integration
def test_a_server_that_is_silent_has_no_more_time_than_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = a_server(Mailbox(port=listener.getsockname()[1], security="none"))
        attempt = send_mail(trial_mail(server, NOW, "1"), server, deadline=0.3)
    assert (attempt.taken, attempt.outcome) == (False, "TimeoutError")
    # A worker that died while it sent keeps the message from others for longer than that.
    assert timedelta(seconds=DEADLINE_SECONDS) < LEASE.lease


@pytest.mark.integration
def test_a_sender_that_is_killed_before_it_says_so_sends_the_same_mail_again(
    worker: Worker, worklist: Database, mailbox: Mailbox, database_url: str, tmp_path: Path
) -> None:
    sender = mailing(worker, mailbox)
    sender.escalate()
    command = [sys.executable, "-m", "tests.support.killable_sender"]
    command += [str(tmp_path / "other"), database_url, str(mailbox.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == HERE
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT)
    assert len(mailbox.mails) == 1
    assert not sender.deliver_next(), "the dead one still holds it"
    let_time_pass(worklist)
    assert sender.deliver_next()
    first, second = (mail["Message-ID"] for mail in mailbox.mails)
    assert first == second, "receivers know a repetition by it"
    assert counts(worklist).waiting == 0


@pytest.mark.integration
def test_the_doctor_tries_the_mail_server_and_sends_a_test_mail(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "HOME": str(tmp_path),
        "ESCALATE_AFTER_MINUTES": "30",
        "PAGE_URL": PAGE + "/",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": SENDER,
        "MAIL_TO": ",".join(RECEIVERS),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"READFIRST_{name}", value)
    result = CliRunner().invoke(app, ["doctor", "--send-test-mail"])
    assert "Sent to 2 addresses: 250." in result.stderr
    assert f"127.0.0.1:{mailbox.port} (none) answers" in result.stdout
    assert [mail["Subject"] for mail in mailbox.mails] == ["ReadFirst: test"]


def a_server(box: Mailbox, **changes: Any) -> MailServer:
    chosen: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": box.port,
        "security": box.security,
        "user": None,
        "password": None,
        "password_file": None,
        "sender": SENDER,
        "receivers": RECEIVERS,
    }
    return MailServer(**(chosen | changes))
