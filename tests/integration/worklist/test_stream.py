"""Events over real sockets, from several servers of one database."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import Request
from sqlalchemy import text
from starlette.requests import ClientDisconnect
from starlette.types import Message, Scope, Send

from db.access import accounts
from db.access.audit import AuditAction, entries
from db.session import Database
from db.stream import Follower
from readfirst.access.credentials import hash_password
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.browsers import token_in
from tests.support.serving import served
from tests.support.studies import a_header, a_scored_image, an_image
from tests.support.waiting import TIMEOUT, wait_until
from worklist.services import streams as streaming

NOW = datetime.now(UTC)


@contextmanager
def listening(address: str, last: str | None = None) -> Iterator[Iterator[dict[str, str]]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    url = f"{address}/api/v1/events/stream"
    with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = messages(answer.iter_lines())
        assert "retry" in next(heard), "the first message says that from now on nothing is missed"
        yield heard


def messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Each message as its fields; a comment has the empty name."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


def events(heard: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Without the signs of life that come between them if this machine is busy."""
    return (message for message in heard if "event" in message)


def test_a_stream_asked_for_by_head_ends_with_its_headers(settings: Settings) -> None:
    with served(settings) as (address, server):
        streams: streaming.Streams = server._streams
        for _ in range(3):
            answer = httpx.head(f"{address}/api/v1/events/stream", timeout=TIMEOUT)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.content == b""
        wait_until(lambda: streams.open_streams == 0)
        with listening(address):
            assert streams.open_streams == 1


def test_events_come_as_they_happen_and_go_on_where_a_client_was_cut_off(
    settings: Settings, database: Database
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.0")
    first = a_header(stat=True)
    with served(settings) as (address, _), served(settings) as (other, _):
        with listening(address) as heard:
            with database.write() as session:
                a_scored_image(session, NOW, study="1.1", probability=0.9, header=first)
            seen = list(islice(events(heard), 4))
        assert [event["event"] for event in seen] == ["received", "ready", "scored", "flagged"]
        data: dict[str, Any] = json.loads(seen[2]["data"])
        assert (data["study_instance_uid"], data["action"]) == ("1.1", "scored")
        assert len(data["sha256"]) == 64
        # Cut off after the first of them, and answered by another server of the same database.
        with listening(other, seen[0]["id"]) as heard:
            assert list(islice(events(heard), 3)) == seen[1:]
            with database.write() as session:
                an_image(session, NOW, study="1.2")
            assert json.loads(next(events(heard))["data"])["study_instance_uid"] == "1.2"
        with listening(other, "0") as heard:
            everything = [event["id"] for event in islice(events(heard), 5)]
        assert everything == sorted(everything, key=int)


def test_readers_are_told_by_every_server_without_a_number(
    settings: Settings, database: Database
) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, study="1.1", probability=0.9)
    with (
        served(settings) as (address, _),
        served(settings) as (other, _),
        listening(other) as heard,
    ):
        tab = {"tab": "0" * 32}
        for values in (tab, tab | {"left": "true"}):
            answer = httpx.post(f"{address}/studies/1.1/readers", data=values, timeout=TIMEOUT)
            assert answer.status_code == 200
            event = next(events(heard))
            assert event["event"] == "readers"
            assert "id" not in event
            change = json.loads(event["data"])
            assert change["study_instance_uid"] == "1.1"
            assert len(change["readers"]) == ("left" not in values)


def test_a_silent_stream_gives_signs_of_life_and_ends_with_its_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    defaults = streaming.Streams.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "heartbeat_seconds", 0.5)
    with served(settings) as (address, server), listening(address) as heard:
        assert next(heard) == {"": "still here"}
        server.should_exit = True
        # To its end: a stream that the server had to cut would be an error of HTTP here.
        assert all(message == {"": "still here"} for message in heard)


def test_an_odd_last_event_is_a_problem(settings: Settings, database: Database) -> None:
    with served(settings) as (address, _):
        for last in ("x", "-1", str(2**40)):
            headers, url = {"Last-Event-ID": last}, f"{address}/api/v1/events/stream"
            answer = httpx.get(url, headers=headers, timeout=TIMEOUT)
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"


def test_streams_are_limited(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MOST_STREAMS", 1)
    with served(settings) as (address, server):
        with listening(address):
            answer = httpx.get(f"{address}/api/v1/events/stream", timeout=TIMEOUT)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        streams = server.config.app.state.streams  # type: ignore[union-attr]
        wait_until(lambda: not streams.open_streams)
        with listening(address):
            pass


def test_a_burst_gets_no_more_streams_than_there_are(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MOST_STREAMS", 2)
    together = threading.Barrier(12)
    answered = threading.Barrier(12)

    def ask(url: str) -> int:
        together.wait(TIMEOUT)
        with httpx.stream("GET", url, timeout=TIMEOUT) as answer:
            # Nobody gives its place back before all are answered.
            answered.wait(TIMEOUT)
            return answer.status_code

    with served(settings) as (address, _), ThreadPoolExecutor(12) as clients:
        futures = [clients.submit(ask, f"{address}/api/v1/events/stream") for _ in range(12)]
        codes = Counter(each.result() for each in futures)
    assert codes == {200: 2, 503: 10}


async def leaves(message: Message) -> None:
    raise OSError("the client has left")


async def never_reads(message: Message) -> None:
    await asyncio.Event().wait()


async def still_there() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("send", [leaves, never_reads])
def test_a_place_is_given_back_by_who_leaves_at_once_and_taken_from_who_never_reads(
    database: Database, send: Send
) -> None:
    async def answer() -> int:
        streams = streaming.Streams(database, longest_seconds=0.05, grace_seconds=0.05)
        scope: Scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "headers": []}
        stream = streaming.EventStream(streams, None, Request(scope, still_there))
        answering = asyncio.ensure_future(stream(scope, still_there, send))
        with suppress(ClientDisconnect):
            await answering
        return streams.open_streams

    assert asyncio.run(answer()) == 0


def test_what_happens_as_soon_as_a_client_is_answered_is_told(database: Database) -> None:
    """A page asks for its list when it has the headers: what comes later must come as an event."""

    class Client:
        """Lets a film come in when the headers are there, and reads until it hears of it."""

        def __init__(self) -> None:
            self.heard = asyncio.Event()

        async def send(self, message: Message) -> None:
            if message["type"] == "http.response.start":
                with database.write() as session:
                    an_image(session, datetime.now(UTC))
            elif b"event: received" in message.get("body", b""):
                self.heard.set()

    async def hears() -> None:
        streams, client = streaming.Streams(database), Client()
        scope: Scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "headers": []}
        stream = streaming.EventStream(streams, None, Request(scope, still_there))
        answering = asyncio.ensure_future(stream(scope, still_there, client.send))
        await asyncio.wait_for(client.heard.wait(), TIMEOUT)
        answering.cancel()

    asyncio.run(hears())


def read(database: Database, follower: Follower) -> list[int]:
    with database.read() as session:
        return [event.id for event in follower.read(session, datetime.now(UTC))]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_committed_late_is_not_left_out(database: Database, ending: str) -> None:
    """PostgreSQL gives a number to an event before its transaction is committed."""
    now = datetime.now(UTC)
    with database.write() as session:
        an_image(session, now)
    follower, fresh = Follower(0), Follower()
    first = read(database, follower)
    slow = database.write()
    session = slow.__enter__()
    an_image(session, now, study="slow")
    session.flush()
    with database.write() as quick:
        an_image(quick, now, study="quick")
    assert read(database, follower) == [], "the quick one waits for the slow one"
    assert read(database, fresh) == []
    if ending == "commit":
        slow.__exit__(None, None, None)
    else:
        slow.__exit__(RuntimeError, RuntimeError("given up"), None)
    for each in (follower, fresh):
        later = read(database, each)
        assert later == sorted(later)
        assert len(later) == (2 if ending == "commit" else 1)
        assert not set(later) & set(first)


PASSWORD = "four plain words here"


def a_person(database: Database, name: str) -> None:
    with database.write() as session:
        kept = hash_password(PASSWORD)
        accounts.add(
            session, accounts.NewAccount(name=name, role=Role.READER, password_hash=kept), NOW
        )


@contextmanager
def logged_in(address: str, name: str) -> Iterator[httpx.Client]:
    """A browser of somebody who is logged in."""
    with httpx.Client(base_url=address, timeout=TIMEOUT) as client:
        form = client.get("/login").text
        token = token_in(form)
        sent = {"name": name, "password": PASSWORD, "form_token": token}
        assert client.post("/login", data=sent).status_code == 303
        yield client


def test_one_account_takes_no_more_than_its_share_of_the_streams(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MOST_OF_ONE", 2)
    stream = "/api/v1/events/stream"
    for name in ("anna", "berta"):
        a_person(database, name)
    with served(settings) as (address, server), ExitStack() as streams_of_all:
        anna = streams_of_all.enter_context(logged_in(address, "anna"))
        berta = streams_of_all.enter_context(logged_in(address, "berta"))
        for _ in range(2):
            assert streams_of_all.enter_context(anna.stream("GET", stream)).status_code == 200
        assert anna.get(stream).status_code == 503
        assert streams_of_all.enter_context(berta.stream("GET", stream)).status_code == 200
        streams_of_all.close()
        streams = server.config.app.state.streams  # type: ignore[union-attr]
        wait_until(lambda: not streams.open_streams)


def test_a_silent_stream_ends_soon_after_the_log_out(
    settings: Settings, database: Database
) -> None:
    a_person(database, "anna")
    with served(settings) as (address, _), logged_in(address, "anna") as anna:
        with anna.stream("GET", "/api/v1/events/stream") as answer:
            heard = messages(answer.iter_lines())
            assert "retry" in next(heard)
            page = anna.get("/account").text
            token = token_in(page)
            own = {"Sec-Fetch-Site": "same-origin"}
            sent = {"form_token": token}
            assert anna.post("/logout", data=sent, headers=own).status_code == 303
            left = len(list(islice(heard, 30)))
        # A sign of life comes every two seconds, and with it a look at the session; some of them
        # came before the log-out.
        assert left < 30


def test_events_are_noted_with_their_studies_before_they_are_sent(
    settings: Settings, database: Database
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.0")
        an_image(session, NOW, study="1.1")

    def noted() -> list[list[str]]:
        with database.read() as session:
            lines = entries(session, limit=100)
        assert {line.action for line in lines} <= {AuditAction.EVENTS_FOLLOWED}
        return [line.detail["studies"] for line in reversed(lines)]

    with served(settings) as (address, _):
        with listening(address, "0") as heard:
            assert noted() == [["1.0", "1.1"]], "before the first event is read"
            assert len(list(islice(events(heard), 2))) == 2
            with database.write() as session:
                an_image(session, NOW, study="1.2")
            assert json.loads(next(events(heard))["data"])["study_instance_uid"] == "1.2"
            assert noted() == [["1.0", "1.1"], ["1.2"]]
        with listening(address, "0") as heard:
            next(events(heard))
        assert len(noted()) == 2, "what was told of late is not noted again"


def test_events_that_cannot_be_noted_are_not_sent(settings: Settings, database: Database) -> None:
    with served(settings) as (address, _), listening(address) as heard:
        with database.write() as session:
            session.execute(text("ALTER TABLE audit RENAME TO audit_away"))
            an_image(session, NOW, study="1.2")
        assert list(events(heard)) == []
        answer = httpx.get(
            f"{address}/api/v1/events/stream", headers={"Last-Event-ID": "0"}, timeout=TIMEOUT
        )
        assert answer.status_code == 503
