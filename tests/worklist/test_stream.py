"""Events over real sockets, from several servers of one database."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from db.session import Database
from db.stream import Follower
from readfirst.settings import Settings
from tests.db.builders import a_header, a_scored_image, an_image
from tests.worklist.serving import served
from worklist.api import events

NOW = datetime.now(UTC)


@contextmanager
def listening(address: str, last: str | None = None) -> Iterator[Iterator[dict[str, str]]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    url = f"{address}/api/v1/events/stream"
    with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = messages(answer.iter_lines())
        assert "retry" in next(heard), "the first message says that from now on nothing is missed"
        yield heard


def messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Each message as its fields; a comment has the empty name."""
    held: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            held[name] = value
        elif held:
            yield held
            held = {}


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
            seen = [next(heard) for _ in range(4)]
        assert [one["event"] for one in seen] == ["received", "ready", "scored", "flagged"]
        data: dict[str, Any] = json.loads(seen[2]["data"])
        assert (data["study_instance_uid"], data["action"]) == ("1.1", "scored")
        assert len(data["sha256"]) == 64
        # Cut off after the first of them, and answered by another server of the same database.
        with listening(other, seen[0]["id"]) as heard:
            assert [next(heard) for _ in range(3)] == seen[1:]
            with database.write() as session:
                an_image(session, NOW, study="1.2")
            assert json.loads(next(heard)["data"])["study_instance_uid"] == "1.2"
        with listening(other, "0") as heard:
            everything = [next(heard)["id"] for _ in range(5)]
        assert everything == sorted(everything, key=int)


def test_a_silent_stream_gives_signs_of_life_and_ends_with_its_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(events.Streams.__init__, "__kwdefaults__", {"heartbeat_seconds": 0.5})
    with served(settings) as (address, server), listening(address) as heard:
        assert next(heard) == {"": "still here"}
        begun = time.monotonic()
        server.should_exit = True
        assert all(message == {"": "still here"} for message in heard)
        assert time.monotonic() - begun < 5


def test_an_odd_last_event_is_a_problem(settings: Settings, database: Database) -> None:
    with served(settings) as (address, _):
        for last in ("x", "-1", str(2**40)):
            answer = httpx.get(f"{address}/api/v1/events/stream", headers={"Last-Event-ID": last})
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"


def test_streams_are_limited(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 1)
    with served(settings) as (address, server):
        with listening(address):
            answer = httpx.get(f"{address}/api/v1/events/stream")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        end = time.monotonic() + 10
        while server.config.app.state.streams.open_streams:  # type: ignore[union-attr]
            assert time.monotonic() < end, "a place was not given back"
            time.sleep(0.1)
        with listening(address):
            pass


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
