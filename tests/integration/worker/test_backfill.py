"""Films of a PACS are fetched once, at a pace, and on from where a run ended."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, generate_uid
from sqlalchemy import func, select, update

from db.lifecycle.lease import LeasePolicy
from db.pacs.fetches import fetch_records, take_turn
from db.pacs.sources import add_source, source_record
from db.session import Database
from db.tables import FetchRow, Image, Study
from ingest.inbox.claim import claim
from readfirst.errors import Unavailable
from readfirst.pacs.fetches import FetchState
from readfirst.pacs.matches import by_day
from readfirst.pacs.source import Retrieval
from readfirst.settings import Settings
from tests.support.environments import clean_environment
from tests.support.pacs import Pacs, a_dcmqrscp, fetch_services, in_inbox
from tests.support.ports import free_port
from tests.support.waiting import TIMEOUT, in_background, wait_until
from tests.support.workers import Worker
from worker.pacs.backfill import Backfill

DAY = date(2026, 11, 3)
NO_PAUSE = timedelta()
#: As patient as a test is.
BACK_OFF = LeasePolicy(
    lease=timedelta(minutes=5),
    max_attempts=2000,
    first_pause=timedelta(milliseconds=20),
    longest_pause=timedelta(milliseconds=20),
)


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Pacs]:
    with a_dcmqrscp(tmp_path / "pacs", Retrieval.C_GET, free_port()) as opened:
        yield opened


def add_film(pacs: Pacs, folder: Path, **attributes: object) -> str:
    """Let a PACS have one more film; its study."""
    return pacs.add_film(folder, **{"StudyDate": "20261103"} | attributes)


@contextmanager
def a_backfill(
    pacs: Pacs, settings: Settings, database: Database, **changes: object
) -> Iterator[Backfill]:
    settings.inbox_path.mkdir(parents=True, exist_ok=True)
    services = fetch_services(database, settings.inbox_path, back_off=BACK_OFF)
    with database.write() as session:
        if not any(True for _ in fetch_records(session)):
            add_source(session, pacs.source, datetime.now(UTC))
        record = source_record(session, pacs.source.name)
    stop = threading.Event()
    with services.open_client(pacs.source, stop) as client:
        yield replace(Backfill(services, record, client, NO_PAUSE, stop), **changes)  # type: ignore[arg-type]


def run(backfill: Backfill) -> list[str]:
    """Fetch all films of the day; the studies that were looked at."""
    uids = [uid for matches in backfill.find(by_day(DAY, DAY)) for uid in backfill.note(matches)]
    return [result.study_instance_uid for result in backfill.fetch(uids)]


def take_in_all(worker: Worker) -> int:
    """Take in what lies in the inbox. Returns the number of files."""
    count = 0
    inbox = worker.settings.inbox_path
    for path in list(inbox.glob("pacs/*")):
        claimed = claim(inbox, path)
        assert claimed is not None
        worker.take_in(claimed)
        count += 1
    return count


def test_a_day_is_fetched_once_and_only_its_films(
    pacs: Pacs, settings: Settings, database: Database, tmp_path: Path
) -> None:
    studies = {add_film(pacs, tmp_path), add_film(pacs, tmp_path)}
    add_film(pacs, tmp_path, StudyDate="20261104")
    ct = add_film(pacs, tmp_path, SOPClassUID=CTImageStorage, Modality="CT")
    with a_backfill(pacs, settings, database) as backfill:
        assert set(run(backfill)) == {*studies, ct}
        assert len(in_inbox(settings.inbox_path)) == 2
        run(backfill)
    with database.read() as session:
        rows = {row.study_instance_uid: row for row in fetch_records(session)}
    assert {rows[uid].images for uid in studies} == {1}
    assert rows[ct].images == 0
    assert {row.state for row in rows.values()} == {FetchState.FETCHED}


def test_what_is_here_already_is_not_fetched(
    pacs: Pacs, worker: Worker, settings: Settings, database: Database, tmp_path: Path
) -> None:
    study, series = generate_uid(), generate_uid()
    attributes = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SeriesNumber": "1"}
    add_film(pacs, tmp_path, InstanceNumber="1", **attributes)
    with a_backfill(pacs, settings, database) as backfill:
        assert run(backfill) == [study]
        assert take_in_all(worker) == 1
        add_film(pacs, tmp_path, InstanceNumber="2", **attributes)
        run(backfill)
        assert take_in_all(worker) == 1
        run(backfill)
        assert take_in_all(worker) == 0
    with database.read() as session:
        (row,) = fetch_records(session)
    assert (row.state, row.images) == (FetchState.FETCHED, 2)


def test_a_pacs_that_goes_down_is_waited_for(
    pacs: Pacs, settings: Settings, database: Database, tmp_path: Path
) -> None:
    studies = {add_film(pacs, tmp_path) for _ in range(3)}
    with a_backfill(pacs, settings, database) as backfill:
        uids = [
            uid for matches in backfill.find(by_day(DAY, DAY)) for uid in backfill.note(matches)
        ]
        results = backfill.fetch(uids)
        done = {next(results).study_instance_uid}
        pacs.stop()
        rest: list[str] = []

        def go_on() -> None:
            rest.extend(result.study_instance_uid for result in results)

        with in_background(go_on, lambda: None):
            wait_until(lambda: _failing(database) is not None)
            pacs.start()
    assert done | set(rest) == studies
    assert len(in_inbox(settings.inbox_path)) == 3
    assert _failing(database) is None


def _failing(database: Database) -> datetime | None:
    with database.read() as session:
        return source_record(session, "archive").failing_since


def test_a_pacs_that_stays_down_ends_it_and_nothing_is_forgotten(
    pacs: Pacs, settings: Settings, database: Database, tmp_path: Path
) -> None:
    study = add_film(pacs, tmp_path)
    with a_backfill(pacs, settings, database) as backfill:
        uids = [
            uid for matches in backfill.find(by_day(DAY, DAY)) for uid in backfill.note(matches)
        ]
        backfill.client.rest()
        pacs.stop()
        impatient = replace(backfill.services, back_off=replace(BACK_OFF, max_attempts=2))
        with pytest.raises(Unavailable, match="nothing listens"):
            list(replace(backfill, services=impatient).fetch(uids))
        pacs.start()
        assert [each.study_instance_uid for each in backfill.fetch(uids)] == [study]


def test_turns_are_an_interval_apart(pacs: Pacs, settings: Settings, database: Database) -> None:
    now = datetime.now(UTC)
    minute = timedelta(minutes=1)
    with a_backfill(pacs, settings, database) as backfill, database.write() as session:
        turns = [take_turn(session, backfill.record.id, now, minute) for _ in range(2)]
        assert turns == [now, now + minute]
        # A clock that was put back leaves no turn in the far future.
        assert (
            take_turn(session, backfill.record.id, now - 99 * minute, minute) <= now - 98 * minute
        )


def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(
    pacs: Pacs, worker: Worker, settings: Settings, database: Database, tmp_path: Path
) -> None:
    studies = {add_film(pacs, tmp_path) for _ in range(12)}
    with a_backfill(pacs, settings, database):
        pass
    process = _start_fetch(settings)
    wait_until(lambda: _states(database).count(FetchState.FETCHED) >= 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with database.write() as session:
        # The minute for which it held a study is over.
        session.execute(update(FetchRow).values(lease_until=datetime.now(UTC)))
    take_in_all(worker)
    ended = _start_fetch(settings)
    output, errors = ended.communicate(timeout=TIMEOUT)
    assert ended.returncode == 0, errors
    assert _states(database) == [FetchState.FETCHED] * 12
    assert json.loads(output)["left"] == 0
    take_in_all(worker)
    with database.read() as session:
        assert {row.study_instance_uid for row in fetch_records(session)} == studies
        assert session.scalar(select(func.count()).select_from(Study)) == 12
        assert session.scalar(select(func.count()).select_from(Image)) == 12


def _states(database: Database) -> list[FetchState]:
    with database.read() as session:
        return [row.state for row in fetch_records(session)]


def _start_fetch(settings: Settings) -> "subprocess.Popen[str]":
    """`readfirst fetch` of the day, in a process of its own."""
    environment = clean_environment()
    environment["READFIRST_HOME"] = str(settings.home_path)
    environment["READFIRST_DATABASE_URL"] = settings.database
    command = ["fetch", "--date", "2026-11-03", "--per-hour", "18000", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "readfirst", *command],
        env=environment,
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
