"""A real receiver that fails first, hears every flagged study, and checks the signature."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from db.announcements import announcement_counts, claim_due
from db.scores import record
from db.session import Database
from db.tables import Announcement
from db.work import claim_ready
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured
from readfirst.queue import Bell
from readfirst.settings import Settings, load_settings
from tests.db.builders import MAX_WAIT, TERMS, a_header, a_ready_image, an_ensemble
from worker.resources import Resources
from worker.sweep import sweep
from worker.webhook import FIRST_PAUSE, GIVE_UP_AFTER, LONGEST_PAUSE, announce_next, pause_after

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


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), content))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    with Receiver(list(statuses)) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def telling(resources: Resources, address: str) -> Resources:
    chosen = {"webhook_url": address, "webhook_secret": SecretStr(SECRET)}
    return replace(resources, settings=resources.settings.model_copy(update=chosen))


def score(
    database: Database, study: str, probability: float, then: Callable[[], object] = bool
) -> None:
    with database.write() as session:
        named = a_header(patient_name="Ruiz^Ana", patient_id="P-9")
        a_ready_image(session, NOW, study=study, header=named)
        claims = claim_ready(session, 10, NOW, TERMS, "1")
        results = [(held, ImageScore(probability, {"cnn": probability})) for held in claims]
        record(session, results, an_ensemble(session), NOW, max_wait=MAX_WAIT, announced=True)
        then()


def let_time_pass(database: Database) -> None:
    """The pause of every announcement is over."""
    with database.write() as session:
        session.execute(update(Announcement).values(next_attempt_at=NOW - timedelta(days=1)))


def waiting(database: Database) -> int:
    with database.read() as session:
        return announcement_counts(session).waiting


def test_a_flagged_study_is_told_once_it_can_be_and_then_no_more(
    resources: Resources, database: Database
) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.1)
    with receiving(500, 503) as receiver:
        told = telling(resources, receiver.address)
        for _ in range(2):
            assert not announce_next(told), "after a failure no other is tried"
            assert not announce_next(told), "nor this one before its pause is over"
            let_time_pass(database)
        assert announce_next(told)
        assert not announce_next(told)
        let_time_pass(database)
        assert not announce_next(told)
    assert len(receiver.heard) == 3
    assert len({headers["Idempotency-Key"] for _, headers, _ in receiver.heard}) == 1
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
    signed = headers["ReadFirst-Timestamp"].encode() + b"." + content
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["ReadFirst-Signature"] == f"sha256={expected}"
    assert abs(int(headers["ReadFirst-Timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert waiting(database) == 0


def test_a_second_suspicious_image_tells_nothing_new(
    resources: Resources, database: Database
) -> None:
    for probability in (0.3, 0.9, 0.95):
        score(database, "1.1", probability)
    assert waiting(database) == 1


def test_one_that_is_not_taken_holds_no_other_up(resources: Resources, database: Database) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.9)
    with receiving(422) as receiver:
        told = telling(resources, receiver.address)
        assert announce_next(told)
        assert announce_next(told)
        assert not announce_next(told)
    assert [json.loads(body)["study_instance_uid"] for _, _, body in receiver.heard] == [
        "1.1",
        "1.2",
    ]
    assert waiting(database) == 1


def test_nobody_is_followed_elsewhere(resources: Resources, database: Database) -> None:
    score(database, "1.1", 0.9)
    with receiving(302) as receiver:
        announce_next(telling(resources, receiver.address))
    assert [path for path, _, _ in receiver.heard] == ["/hook?of=site"]
    assert waiting(database) == 1


def test_a_receiver_that_is_not_there_costs_one_attempt_for_all(
    resources: Resources, database: Database
) -> None:
    score(database, "1.1", 0.9)
    score(database, "1.2", 0.9)
    with receiving() as receiver:
        gone = receiver.address
    told = telling(resources, gone)
    assert not announce_next(told)
    with database.write() as session:
        assert claim_due(session, datetime.now(UTC), timedelta(0)) is None
    sweep(told)
    assert Bell.ANNOUNCE not in told.ringer.rung  # type: ignore[attr-defined]
    let_time_pass(database)
    sweep(told)
    assert Bell.ANNOUNCE in told.ringer.rung  # type: ignore[attr-defined]


def test_after_days_it_is_given_up_and_stays_in_the_table(
    resources: Resources, database: Database
) -> None:
    score(database, "1.1", 0.9)
    with database.write() as session:
        session.execute(update(Announcement).values(flagged_at=NOW - GIVE_UP_AFTER))
    with receiving(500) as receiver:
        announce_next(telling(resources, receiver.address))
    with database.read() as session:
        counts = announcement_counts(session)
    assert (counts.waiting, counts.given_up) == (0, 1)


def test_a_score_that_is_rolled_back_tells_nothing(database: Database) -> None:
    """The announcement is written with the score, or not at all."""
    with pytest.raises(ZeroDivisionError):
        score(database, "1.1", 0.9, then=lambda: 1 / 0)
    assert waiting(database) == 0


def test_the_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_after(attempts) for attempts in range(40)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses[1] == 2 * FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://host/", SECRET),
        ("http://", SECRET),
        ("https://user:word@host/", SECRET),
        ("https://host:port/", SECRET),
        ("https://host/", ""),
        ("https://host/", "short"),
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


def test_the_secret_does_not_show() -> None:
    settings = Settings(webhook_url="https://host/", webhook_secret=SecretStr(SECRET))
    assert SECRET not in repr(settings)
