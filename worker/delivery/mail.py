"""Mail by SMTP (RFC 5321): one server, which shows its certificate, in a bounded time."""

import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from pydantic import SecretStr

from readfirst.settings import Settings
from worker.delivery.attempt import DeliveryAttempt

#: Seconds that an attempt may take in all, and that one answer of the server may take.
DEADLINE_SECONDS, ANSWER_SECONDS = 20.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The server that takes mails, and from whom and to whom they go. security: as in settings."""

    host: str
    port: int
    security: str
    user: str | None
    password: SecretStr | None
    password_file: Path | None
    sender: str
    receivers: tuple[str, ...]


def mail_server(settings: Settings) -> MailServer | None:
    """The server of a site, for escalations; None if it sends none by mail."""
    return _server(settings, settings.mail_to) if settings.escalates_by_mail else None


def night_mail_server(settings: Settings) -> MailServer | None:
    """The same for those who are told of nights; None if nobody is."""
    return _server(settings, settings.nightly_mail_to) if settings.nightly_mail_to else None


def _server(settings: Settings, receivers: tuple[str, ...]) -> MailServer | None:
    if not (settings.smtp_host and settings.mail_from):
        return None
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        password_file=settings.smtp_password_file,
        sender=settings.mail_from,
        receivers=receivers,
    )


def plain_mail(server: MailServer, subject: str, text: str) -> EmailMessage:
    """Make a mail of plain text."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = server.sender
    message["To"] = ", ".join(server.receivers)
    # RFC 3834: no answer of a machine is wanted.
    message["Auto-Submitted"] = "auto-generated"
    # In English, addresses are not broken up: all is ASCII, in lines of less than 998 characters.
    message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    return message


def send_mail(
    message: EmailMessage, server: MailServer, deadline: float = DEADLINE_SECONDS
) -> DeliveryAttempt:
    """Send a mail to all receivers. It is taken if the server takes it for one of them at least.

    deadline: seconds for all of it, however slowly the server goes on.
    """

    def send(smtp: smtplib.SMTP) -> str:
        refused = smtp.send_message(message, server.sender, server.receivers)
        return f"refused for {len(refused)} of {len(server.receivers)}" if refused else "250"

    return _attempt(server, send, deadline)


def try_server(server: MailServer, deadline: float = DEADLINE_SECONDS) -> DeliveryAttempt:
    """Connect and log in as for a mail, and send none."""
    return _attempt(server, lambda smtp: str(smtp.noop()[0]), deadline)


def _attempt(
    server: MailServer, act: Callable[[smtplib.SMTP], str], deadline: float
) -> DeliveryAttempt:
    """Act in a thread: neither a look-up nor a server that drips can be stopped from outside."""
    results: list[DeliveryAttempt] = []
    thread = threading.Thread(
        target=lambda: results.append(_result(server, act)), name="mail", daemon=True
    )
    thread.start()
    thread.join(deadline)
    # A server at fault takes no other mail either, so nobody tries the others now.
    return results[0] if results else DeliveryAttempt(False, False, "TimeoutError")


def _result(server: MailServer, act: Callable[[smtplib.SMTP], str]) -> DeliveryAttempt:
    try:
        with _connection(server) as smtp:
            outcome = act(smtp)
    except smtplib.SMTPResponseException as error:
        # Without the server's words, which may repeat what was sent.
        return DeliveryAttempt(False, False, f"{type(error).__name__} {error.smtp_code}")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return DeliveryAttempt(False, False, type(error).__name__)
    return DeliveryAttempt(True, True, outcome)


@contextmanager
def _connection(server: MailServer) -> Iterator[smtplib.SMTP]:
    # Authorities are the machine's, or those that SSL_CERT_FILE names.
    trusted = ssl.create_default_context()
    # What the machine is called inside is nobody's business, and is not always found quickly.
    name = server.sender.rsplit("@", 1)[-1]
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=ANSWER_SECONDS, context=trusted
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, name, timeout=ANSWER_SECONDS)
    with smtp:
        if server.security == "starttls":
            smtp.starttls(context=trusted)
        if server.user is not None:
            smtp.login(server.user, _password(server))
        yield smtp


def _password(server: MailServer) -> str:
    """Raises OSError or ValueError for a file that is not readable."""
    if server.password_file is not None:
        return server.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    return server.password.get_secret_value() if server.password else ""
