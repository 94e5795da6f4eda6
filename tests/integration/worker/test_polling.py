"""New films of an archive are fetched by themselves, by one process of the site."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from sqlalchemy import func, select

from db.pacs.fetches import fetch_records
from db.pacs.polling import claim_visit, end_visit
from db.pacs.sources import PacsSourceRecord, add_source, source_record
from db.session import Database
from db.tables import HeartbeatRow
from ingest.pacs.open_client import open_client
from readfirst.pacs.fetches import FetchPurpose, FetchState
from readfirst.pacs.source import PacsSource, Retrieval
from readfirst.settings import Settings
from tests.support.environments import clean_environment
from tests.support.pacs import Pacs, a_config, a_dcmqrscp, an_orthanc_pacs, fetch_services, in_inbox
from tests.support.ports import free_port
from tests.support.waiting import TIMEOUT, wait_until
from worker.pacs.poll import Poller, PollPolicy

ROOT = Path(__file__).parents[3]
DAY = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
POLICY = PollPolicy(every=timedelta(minutes=1), look_back=timedelta(hours=2), zone=UTC)


class SiteClock:
    """The time of the site, which a test moves on."""

    def __init__(self) -> None:
        self.now = DAY
        self.passed = 0.0

    def go_on(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.passed += timedelta(**span).total_seconds()


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Pacs]:
    with a_dcmqrscp(tmp_path / "pacs", Retrieval.C_GET, free_port()) as opened:
        yield opened


@pytest.fixture
def clock() -> SiteClock:
    return SiteClock()


@pytest.fixture
def poller(settings: Settings, database: Database, clock: SiteClock) -> Poller:
    settings.inbox_path.mkdir(parents=True)
    services = fetch_services(database, settings.inbox_path)
    return Poller(
        services, POLICY, threading.Event(), clock=lambda: clock.now, seconds=lambda: clock.passed
    )


def add_film(pacs: Pacs, folder: Path, **attributes: object) -> str:
    """Let a PACS have one more film; its study."""
    return pacs.add_film(folder, **{"StudyDate": f"{DAY:%Y%m%d}"} | attributes)


def add(database: Database, source: PacsSource, **changes: object) -> None:
    polled = replace(source, polled=True, **changes)  # type: ignore[arg-type]
    with database.write() as session:
        add_source(session, polled, DAY)


def record(database: Database, name: str = "archive") -> PacsSourceRecord:
    with database.read() as session:
        return source_record(session, name)


def test_a_new_study_comes_once_and_a_late_image_by_itself(
    pacs: Pacs, poller: Poller, clock: SiteClock, database: Database, tmp_path: Path
) -> None:
    inbox = tmp_path / "home" / "inbox"
    add(database, pacs.source)
    series = {"SeriesInstanceUID": generate_uid(), "SeriesNumber": "1"}
    study = add_film(pacs, tmp_path, InstanceNumber="1", **series)
    add_film(pacs, tmp_path, StudyDate="20261031")
    assert poller.visit_next()
    assert len(in_inbox(inbox)) == 1
    assert not poller.visit_next(), "it is not due yet"
    clock.go_on(minutes=20)
    assert poller.visit_next()
    assert len(in_inbox(inbox)) == 1
    add_film(pacs, tmp_path, StudyInstanceUID=study, InstanceNumber="2", **series)
    clock.go_on(minutes=20)
    assert poller.visit_next()
    assert len(set(in_inbox(inbox))) == 2
    with database.read() as session:
        (row,) = fetch_records(session)
    assert (row.state, row.purpose, row.images) == (FetchState.FETCHED, FetchPurpose.POLL, 2)


def test_a_source_that_nobody_lets_poll_is_left_alone(
    pacs: Pacs, poller: Poller, database: Database
) -> None:
    with database.write() as session:
        add_source(session, pacs.source, DAY)
    assert not poller.visit_next()


def test_a_pacs_that_is_down_stops_no_other_and_is_caught_up_with(
    pacs: Pacs, poller: Poller, clock: SiteClock, database: Database, tmp_path: Path
) -> None:
    inbox = tmp_path / "home" / "inbox"
    add(database, pacs.source, name="alive")
    with a_dcmqrscp(tmp_path / "other", Retrieval.C_GET, free_port()) as other:
        add(database, other.source, name="dead")
        assert poller.visit_next()
        assert poller.visit_next()
        other.stop()
        add_film(pacs, tmp_path)
        clock.go_on(minutes=2)
        assert poller.visit_next()
        assert poller.visit_next()
        since = clock.now
        assert len(in_inbox(inbox)) == 1
        assert record(database, "alive").failing_since is None
        assert record(database, "dead").failing_since == since
        assert "nothing listens" in str(record(database, "dead").last_error)
        clock.go_on(days=2)
        while poller.visit_next():
            pass
        assert record(database, "dead").failing_since == since
        other.start()
        add_film(other, tmp_path)
        clock.go_on(days=1)
        while poller.visit_next():
            pass
        assert len(in_inbox(inbox)) == 2
        assert record(database, "dead").failing_since is None


def test_what_cannot_be_fetched_is_tried_again_and_given_up(
    poller: Poller, clock: SiteClock, database: Database, tmp_path: Path
) -> None:
    """By C-MOVE to a listener that does not run."""
    with a_dcmqrscp(tmp_path / "pacs", Retrieval.C_MOVE, free_port()) as pacs:
        add(database, pacs.source)
        add_film(pacs, tmp_path)
        for tries in range(1, 6):
            assert poller.visit_next()
            with database.read() as session:
                (row,) = fetch_records(session)
            assert row.state is (FetchState.FAILED if tries == 5 else FetchState.FOUND)
            assert "can it reach the listener" in str(row.reason)
            clock.go_on(minutes=14)


def test_a_site_of_two_machines_asks_once(database: Database, clock: SiteClock) -> None:
    source = PacsSource(
        name="archive", retrieval=Retrieval.C_GET, host="127.0.0.1", port=1, ae_title="PACS"
    )
    add(database, source)
    with database.write() as session:
        visit = claim_visit(session, clock.now)
    assert visit is not None
    with database.write() as session:
        assert claim_visit(session, clock.now) is None
    clock.go_on(minutes=3)
    with database.write() as session:
        other = claim_visit(session, clock.now)
    assert other is not None, "the first one died"
    with database.write() as session:
        end_visit(session, visit, clock.now, POLICY.every, failed=False)
        assert claim_visit(session, clock.now) is None, "whoever lost the lease changes nothing"
        end_visit(session, other, clock.now, POLICY.every, failed=False)
    clock.go_on(minutes=1)
    with database.write() as session:
        assert claim_visit(session, clock.now) is not None


def test_a_full_disk_is_not_told_of_the_pacs(
    pacs: Pacs, poller: Poller, database: Database, tmp_path: Path
) -> None:
    config = a_config(tmp_path / "home" / "inbox", has_room=False)
    poller.services = replace(
        poller.services, open_client=lambda source, stop: open_client(source, config, stop)
    )
    add(database, pacs.source)
    add_film(pacs, tmp_path)
    assert poller.visit_next()
    assert record(database).failing_since is None
    with database.read() as session:
        assert [row.state for row in fetch_records(session)] == [FetchState.FOUND]


def test_dicomweb_is_polled_too(
    poller: Poller, clock: SiteClock, database: Database, tmp_path: Path
) -> None:
    with an_orthanc_pacs(tmp_path / "orthanc", Retrieval.DICOMWEB, free_port()) as pacs:
        add(database, pacs.source)
        add_film(pacs, tmp_path)
        assert poller.visit_next()
        clock.go_on(minutes=2)
        assert poller.visit_next()
    assert len(in_inbox(tmp_path / "home" / "inbox")) == 1


def test_the_clock_of_a_site_polls(
    pacs: Pacs, settings: Settings, database: Database, tmp_path: Path
) -> None:
    settings.inbox_path.mkdir(parents=True)
    add_film(pacs, tmp_path, StudyDate=f"{datetime.now(UTC):%Y%m%d}")
    with a_clock(settings):
        wait_until(lambda: gives_signs_of_life(database))
        # The clock waits for its first source.
        add(database, pacs.source)
        wait_until(lambda: len(in_inbox(settings.inbox_path)) == 1)
    assert record(database).polled_at is not None


def gives_signs_of_life(database: Database) -> bool:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(HeartbeatRow)) == 1


@contextmanager
def a_clock(settings: Settings) -> Iterator[None]:
    """`readfirst beat`, in a process of its own."""
    environment = clean_environment()
    environment["READFIRST_HOME"] = str(settings.home_path)
    environment["READFIRST_DATABASE_URL"] = settings.database
    with (settings.home_path / "beat.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "readfirst", "beat"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT)
