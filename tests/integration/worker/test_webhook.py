"""A real receiver that fails first, hears every flagged study, and checks the signature."""

import base64
import hashlib
import hmac
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog
import trustme
from pydantic import SecretStr
from sqlalchemy import update
from standardwebhooks import Webhook, WebhookVerificationError

from db.lifecycle.lease import Lease
from db.lifecycle.outbox import DueMessage, claim_due, outbox_counts
from db.lifecycle.scoring import record
from db.lifecycle.work import claim_ready
from db.session import Database
from db.tables import OutboxMessage
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured
from readfirst.logs import configure_logs
from readfirst.settings import Settings, load_settings
from readfirst.tasks.names import TaskName
from tests.support.studies import POLICY, a_header, a_ready_image, an_ensemble, lifecycle
from tests.support.unresolved_names import no_name_is_resolved
from tests.support.workers import Worker
from worker.delivery.attempt import DeliveryAttempt
from worker.delivery.deliver import GIVE_UP_AFTER, LEASE
from worker.delivery.webhook import WebhookReceiver, body, headers, send

SECRET = "a secret of this site"
NOW = datetime.now(UTC)


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses it is given, then with 204."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = statuses
        self.heard: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?of=site"


#: Where the redirections lead; the last one is no address.
ELSEWHERE = {302: "/elsewhere", 307: "http://127.0.0.1:1/elsewhere", 308: "https://[no address"}


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), content))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status in ELSEWHERE:
            self.send_header("Location", ELSEWHERE[status])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiving(*statuses: int, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with Receiver(list(statuses)) as receiver:
        if tls:
            receiver.socket = tls.wrap_socket(receiver.socket, server_side=True)
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def telling(worker: Worker, address: str) -> Worker:
    return worker.with_settings(webhook_url=address, webhook_secret=SecretStr(SECRET))


def score(
    database: Database, study: str, probability: float, then: Callable[[], object] = bool
) -> None:
    with lifecycle(database, NOW, replace(POLICY, webhook=True)) as unit:
        named = a_header(patient_name="Ruiz^Ana", patient_id="P-9")
        a_ready_image(unit.session, NOW, study=study, header=named)
        claims = claim_ready(unit, 10, "1")
        results = [(image, ImageScore(probability, {"cnn": probability})) for image in claims]
        record(unit, results, an_ensemble(unit.session))
        then()


def let_time_pass(database: Database) -> None:
    """The pause of every message is over."""
    with database.write() as session:
        session.execute(update(OutboxMessage).values(lease_until=NOW - timedelta(days=1)))


def waiting(database: Database) -> int:
    with database.read() as session:
        return outbox_counts(session).waiting


def test_a_flagged_study_is_told_once_it_can_be_and_then_no_more(
    worker: Worker, database: Database
) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.1)
    with receiving(500, 503) as receiver:
        sender = telling(worker, receiver.address)
        for _ in range(2):
            assert not sender.deliver_next(), "after a failure no other is tried"
            assert not sender.deliver_next(), "nor this one before its pause is over"
            let_time_pass(database)
        assert sender.deliver_next()
        assert not sender.deliver_next()
        let_time_pass(database)
        assert not sender.deliver_next()
    assert len(receiver.heard) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.heard}) == 1
    path, headers, content = receiver.heard[-1]
    assert path == "/hook?of=site"
    assert json.loads(content) == {
        "study_instance_uid": "1.1",
        "probability": 0.9,
        "ensemble_version": "1",
        "received_at": NOW.isoformat(),
        "flagged_at": NOW.isoformat(),
    }
    assert all(b"Ruiz" not in body and b"P-9" not in body for _, _, body in receiver.heard)
    assert Webhook(SECRET.encode()).verify(content, headers) == json.loads(content)
    assert int(NOW.timestamp()) <= int(headers["webhook-timestamp"])
    assert int(headers["webhook-timestamp"]) <= datetime.now(UTC).timestamp()
    assert waiting(database) == 0


def test_a_second_suspicious_image_tells_nothing_new(worker: Worker, database: Database) -> None:
    for probability in (0.3, 0.9, 0.95):
        score(database, "1.1", probability)
    assert waiting(database) == 1


def test_one_that_is_not_taken_holds_no_other_up(worker: Worker, database: Database) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.9)
    with receiving(422) as receiver:
        sender = telling(worker, receiver.address)
        assert sender.deliver_next()
        assert sender.deliver_next()
        assert not sender.deliver_next()
    assert [json.loads(body)["study_instance_uid"] for _, _, body in receiver.heard] == [
        "1.1",
        "1.2",
    ]
    assert waiting(database) == 1


@pytest.mark.parametrize("status", ELSEWHERE)
def test_nobody_is_followed_elsewhere(worker: Worker, database: Database, status: int) -> None:
    score(database, "1.1", 0.9)
    with receiving(status) as receiver:
        assert telling(worker, receiver.address).deliver_next(), "the receiver did answer"
    assert [path for path, _, _ in receiver.heard] == ["/hook?of=site"]
    assert waiting(database) == 1


def test_a_receiver_that_is_not_there_costs_one_attempt_for_all(
    worker: Worker, database: Database
) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.9)
    with receiving() as receiver:
        gone = receiver.address
    sender = telling(worker, gone)
    assert not sender.deliver_next()
    with database.write() as session:
        assert claim_due(session, datetime.now(UTC), LEASE) is None
    sender.sweep_once()
    assert TaskName.DELIVER not in sender.notifier.notified
    let_time_pass(database)
    sender.sweep_once()
    assert TaskName.DELIVER in sender.notifier.notified


def test_after_days_it_is_given_up_and_stays_in_the_table(
    worker: Worker, database: Database
) -> None:
    score(database, "1.1", 0.9)
    with database.write() as session:
        session.execute(update(OutboxMessage).values(flagged_at=NOW - GIVE_UP_AFTER))
    with receiving(500) as receiver:
        telling(worker, receiver.address).deliver_next()
    with database.read() as session:
        counts = outbox_counts(session)
    assert (counts.waiting, counts.given_up) == (0, 1)


A_KEY = bytes(range(32))
CODED = "whsec_" + base64.b64encode(A_KEY).decode()


def a_message() -> DueMessage:
    return DueMessage(
        lease=Lease(1, "token"),
        key="6f1c",
        study_instance_uid="1.1",
        ensemble_version="1",
        probability=0.9,
        presupposed=None,
        received_at=NOW,
        flagged_at=NOW,
        attempts=1,
    )


def at(address: str) -> WebhookReceiver:
    return WebhookReceiver(address, SecretStr(SECRET))


@pytest.mark.parametrize(
    ("secret", "receivers_secret"),
    [
        # Any text: the receiver gets its bytes in base64.
        (SECRET, "whsec_" + base64.b64encode(SECRET.encode()).decode()),
        ("Geheimnis für zwei Häuser", "whsec_R2VoZWltbmlzIGbDvHIgendlaSBIw6R1c2Vy"),
        (CODED, CODED),
        (CODED.rstrip("="), CODED),
    ],
)
def test_the_librarys_own_verifier_takes_every_message(secret: str, receivers_secret: str) -> None:
    content = body(a_message(), None)
    sent = headers("6f1c", content, SecretStr(secret), datetime.now(UTC))
    message = Webhook(receivers_secret).verify(content, sent)
    assert message["study_instance_uid"] == "1.1"
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(receivers_secret).verify(content.replace(b"1.1", b"1.2"), sent)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(receivers_secret).verify(content, sent | {"webhook-id": "another"})
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(b"another secret of this site").verify(content, sent)
    old = headers("6f1c", content, SecretStr(secret), datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(receivers_secret).verify(content, old)


def test_the_signature_is_that_of_the_specification() -> None:
    """standardwebhooks.com, version 1.0.0, reckoned without the library."""
    content = body(a_message(), None)
    sent = headers("6f1c", content, SecretStr(CODED), NOW)
    signed = b"6f1c." + str(int(NOW.timestamp())).encode() + b"." + content
    expected = base64.b64encode(hmac.new(A_KEY, signed, hashlib.sha256).digest()).decode()
    assert sent["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("secret", [SECRET, CODED])
def test_the_headers_of_earlier_releases_go_along(secret: str) -> None:
    content = body(a_message(), None)
    sent = headers("6f1c", content, SecretStr(secret), NOW)
    stamp = str(int(NOW.timestamp()))
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + content, hashlib.sha256)
    assert sent["ReadFirst-Signature"] == f"sha256={expected.hexdigest()}"
    assert sent["ReadFirst-Timestamp"] == sent["webhook-timestamp"] == stamp
    assert sent["Idempotency-Key"] == sent["webhook-id"] == "6f1c"


@contextmanager
def dripping(*, first: bytes, drip: bytes) -> Iterator[str]:
    """A server that says something, and then one thing after another for half a minute."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as taken:
            taken.sendall(first)
            for _ in range(600):
                if over.wait(0.05):
                    break
                taken.sendall(drip)
            taken.sendall(b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("scheme", "first", "drip"),
    [
        # Headers without an end, a status line without an end, and no TLS but bytes all the time.
        ("http", b"HTTP/1.1 204 No Content\r\n", b"X-More: x\r\n"),
        ("http", b"HTTP/1.1 204 ", b"x"),
        # Interim answers (RFC 9110 15.2) without a final one.
        ("http", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("http", b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        # The beginning of a TLS record of 16 KiB (RFC 8446, 5.1).
        ("https", b"\x16\x03\x03\x40\x00", b"\x00"),
    ],
)
def test_a_receiver_that_drips_has_no_more_time_than_others(
    scheme: str, first: bytes, drip: bytes
) -> None:
    with dripping(first=first, drip=drip) as address:
        attempt = send(a_message(), at(f"{scheme}://{address}/"), NOW, deadline=0.5)
    assert attempt == DeliveryAttempt(taken=False, answered=False, outcome="TimeoutError")


@pytest.mark.integration
def test_nobody_waits_for_what_comes_after_the_status() -> None:
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with dripping(first=first, drip=b"x") as address:
        attempt = send(a_message(), at(f"http://{address}/"), NOW)
    assert attempt == DeliveryAttempt(taken=True, answered=True, outcome="200")


def test_a_name_that_is_not_resolved_has_no_more_time_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with no_name_is_resolved(monkeypatch):
        attempt = send(a_message(), at("http://receiver.example/"), NOW, deadline=0.2)
    assert attempt == DeliveryAttempt(taken=False, answered=False, outcome="TimeoutError")


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return authority, path


def tls_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def over_tls(receiver: Receiver) -> WebhookReceiver:
    return at(receiver.address.replace("http:", "https:"))


@pytest.mark.integration
def test_tls_is_verified_by_the_authorities_that_the_environment_names(
    authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(tls=tls_for(authority[0], "127.0.0.1")) as receiver:
        refused = send(a_message(), over_tls(receiver), NOW)
        assert refused == DeliveryAttempt(taken=False, answered=False, outcome="ConnectError")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
        assert send(a_message(), over_tls(receiver), NOW).taken
    assert len(receiver.heard) == 1


@pytest.mark.integration
def test_a_certificate_of_another_name_is_refused(
    authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    with receiving(tls=tls_for(authority[0], "elsewhere.example")) as receiver:
        refused = send(a_message(), over_tls(receiver), NOW)
    assert refused == DeliveryAttempt(taken=False, answered=False, outcome="ConnectError")
    assert receiver.heard == []


@pytest.mark.integration
def test_proxies_and_passwords_of_the_environment_are_not_for_webhooks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password word\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        assert send(a_message(), at(receiver.address), NOW).taken
    assert proxy.heard == []
    ((_, sent, _),) = receiver.heard
    assert "authorization" not in {name.lower() for name in sent}


@pytest.fixture
def logs_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.integration
@pytest.mark.usefixtures("logs_restored")
def test_nothing_of_a_message_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug")
    with receiving(302) as receiver:
        send(a_message(), at(receiver.address), NOW)
        send(a_message(), at("http://127.0.0.1:1/hook?of=site"), NOW)
    log = capsys.readouterr().err
    assert "of=site" not in log
    assert "127.0.0.1" not in log
    assert "v1," not in log


def test_a_score_that_is_rolled_back_tells_nothing(database: Database) -> None:
    """The message is written with the score, or not at all."""
    with pytest.raises(ZeroDivisionError):
        score(database, "1.1", 0.9, then=lambda: 1 / 0)
    assert waiting(database) == 0


def test_the_pauses_double_up_to_an_hour() -> None:
    pauses = [LEASE.pause(attempts) for attempts in range(1, 40)]
    assert pauses[0] == timedelta(seconds=5)
    assert pauses[1] == timedelta(seconds=10)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://host/", SECRET),
        ("http://", SECRET),
        ("https://user:word@host/", SECRET),
        ("https://host:port/", SECRET),
        ("https://host/", ""),
        ("https://host/", "short"),
        ("https://host/", "whsec_no base64 at all"),
        # 15 bytes.
        ("https://host/", "whsec_d29yZHdvcmR3b3Jkd29y"),
    ],
)
def test_an_odd_address_or_secret_is_a_mistake_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, url: str, secret: str
) -> None:
    monkeypatch.setenv("READFIRST_WEBHOOK_URL", url)
    if secret:
        monkeypatch.setenv("READFIRST_WEBHOOK_SECRET", secret)
    with pytest.raises(Misconfigured, match="WEBHOOK") as mistake:
        load_settings()
    assert "word" not in str(mistake.value)
    assert not secret or secret not in str(mistake.value)


def test_the_secret_does_not_show() -> None:
    settings = Settings(webhook_url="https://host/", webhook_secret=SecretStr(SECRET))
    assert SECRET not in repr(settings)
