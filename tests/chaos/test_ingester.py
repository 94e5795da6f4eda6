import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from db.inbox.inbox_issues import inbox_issues
from db.tables import Arrival, Image
from ingest.inbox.claim import claim, leftovers
from ingest.inbox.disk import MEBIBYTE
from ingest.inbox.store import Store, StoredFile
from ingest.inbox.watcher.stability import unchanged
from readfirst.errors import Unavailable
from readfirst.machine_faults import FaultCode, WorkKind
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.faults import stopped
from tests.support.files import a_dicom_file
from tests.support.waiting import in_background, wait_until
from tests.support.workers import Worker
from worker.intake.ingester import wait_for_room


def images(worker: Worker) -> int:
    with worker.database.read() as session:
        return session.scalar(select(func.count()).select_from(Image)) or 0


def left(worker: Worker) -> dict[str, str]:
    """The issues of the inbox: path, and code."""
    with worker.database.read() as session:
        return {notice.relative_path: notice.code for notice in inbox_issues(session)}


def run_until(worker: Worker, done: Callable[[], bool], **services: Any) -> None:
    """Run the ingester in a thread until something holds; it has stopped when this returns."""
    stop = threading.Event()
    with in_background(lambda: worker.run_ingester(stop, **services), stop.set) as thread:
        wait_until(lambda: done() or not thread.is_alive())
    assert done()


def test_what_lies_there_at_the_start_is_taken_in_and_the_inbox_is_empty(
    worker: Worker,
) -> None:
    inbox = worker.settings.inbox_path
    (inbox / "ward").mkdir(parents=True)
    for number, name in enumerate(("study-01.dcm", "film-01.jpg")):
        (inbox / "ward" / f"{number}").write_bytes((FOLDER / name).read_bytes())
    run_until(worker, lambda: images(worker) == 2)
    assert [path for path in inbox.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_what_a_run_that_died_had_claimed_is_taken_in_at_the_next_start(
    worker: Worker,
) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    assert claim(inbox, a_dicom_file(inbox / "film.dcm"))
    run_until(worker, lambda: images(worker) == 1)
    assert leftovers(inbox) == []


class FailingStore:
    """A store that fails so many times before it works."""

    def __init__(self, worker: Worker, failures: int) -> None:
        self._store = worker.store
        self.failures = failures
        self.was_used = False

    def keep(self, source: Path) -> object:
        self.was_used = True
        if self.failures:
            self.failures -= 1
            raise Unavailable("The disk is full.")
        return self._store.keep(source)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ingester tries again at once."""
    monkeypatch.setattr("worker.intake.ingester.RETRY_SECONDS", 0.0)


@pytest.mark.usefixtures("no_pause")
def test_a_full_disk_is_waited_for_and_nothing_is_lost(worker: Worker) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "film.dcm")
    full_twice = FailingStore(worker, failures=2)
    run_until(worker, lambda: images(worker) == 1, store=full_twice)
    assert full_twice.failures == 0
    assert leftovers(inbox) == []


def test_a_fault_for_which_intake_waits_is_shown_until_it_goes_on(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.intake.ingester.RETRY_SECONDS", 0.01)
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "film.dcm")
    full = FailingStore(worker, failures=10**6)

    def is_shown() -> bool:
        is_noted = stopped(worker.database) == {WorkKind.INTAKE: FaultCode.ORIGINALS_UNAVAILABLE}
        if is_noted:
            full.failures = 0
        return is_noted or images(worker) == 1

    run_until(worker, is_shown, store=full)
    assert full.failures == 0
    run_until(worker, lambda: images(worker) == 1)
    assert stopped(worker.database) == {}


class Unreadable(FailingStore):
    """A store that cannot read one of the files."""

    def keep(self, source: Path) -> object:
        self.was_used = True
        if source.name == "locked.dcm":
            raise PermissionError(13, "Permission denied")
        return super().keep(source)


def test_a_file_that_cannot_be_read_goes_back_and_stops_no_other(worker: Worker) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "locked.dcm")
    a_dicom_file(inbox / "open.dcm")
    unreadable, issues = Unreadable(worker, 0), {"locked.dcm": "not_readable"}
    run_until(worker, lambda: images(worker) == 1 and left(worker) == issues, store=unreadable)
    assert (inbox / "locked.dcm").is_file()
    assert leftovers(inbox) == []


class StopOnceClaimed(threading.Event):
    """A stop that comes between a claim and the work on it: the first look after it sees it."""

    def __init__(self, inbox: Path, store: FailingStore) -> None:
        super().__init__()
        self._inbox = inbox
        self._store = store

    def is_set(self) -> bool:
        if self._store.was_used or leftovers(self._inbox):
            self.set()
        return super().is_set()


@pytest.mark.parametrize("readable", [True, False])
def test_what_was_claimed_when_a_stop_came_is_worked_to_its_end(
    worker: Worker, readable: bool
) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / ("open.dcm" if readable else "locked.dcm"))
    store = Unreadable(worker, 0)
    worker.run_ingester(StopOnceClaimed(inbox, store), store=store)
    assert leftovers(inbox) == []
    assert images(worker) == readable
    assert (inbox / "locked.dcm").is_file() != readable


class StopsAt(FailingStore):
    """A store that is asked for the first file just as everything is told to stop."""

    def __init__(self, worker: Worker, failures: int, stop: threading.Event) -> None:
        super().__init__(worker, failures)
        self._stop = stop

    def keep(self, source: Path) -> object:
        self._stop.set()
        return super().keep(source)


@pytest.mark.parametrize(("failures", "taken"), [(0, 1), (1, 0)], ids=["works", "full"])
def test_a_stop_leaves_the_other_claims_of_a_run_that_died_to_the_next_start(
    worker: Worker, failures: int, taken: int
) -> None:
    """A claim whose disk or database does not answer stays, too."""
    inbox, stop = worker.settings.inbox_path, threading.Event()
    inbox.mkdir(parents=True)
    for name in ("one.dcm", "two.dcm"):
        assert claim(inbox, a_dicom_file(inbox / name))
    claims = leftovers(inbox)
    worker.run_ingester(stop, store=StopsAt(worker, failures, stop))
    assert (images(worker), leftovers(inbox)) == (taken, claims[taken:])
    run_until(worker, lambda: leftovers(inbox) == [])
    with worker.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Arrival)) == 2


@pytest.mark.usefixtures("no_pause")
def test_below_the_watermark_files_stay_and_intake_goes_on_by_itself(
    worker: Worker, small_disk: Path
) -> None:
    worker = worker.with_settings(inbox=small_disk / "inbox", min_free_megabytes=4)
    inbox, ballast = worker.settings.inbox_path, small_disk / "ballast"
    inbox.mkdir()
    ballast.write_bytes(bytes(6 * MEBIBYTE))
    film = a_dicom_file(inbox / "film.dcm")

    with structlog.testing.capture_logs() as lines:

        def times(event: str) -> int:
            return sum(line["event"] == event for line in lines)

        def taken_once_there_is_room() -> bool:
            if ballast.exists() and times("intake_paused"):
                assert film.exists()
                assert images(worker) == 0
                ballast.unlink()
            return images(worker) == 1

        run_until(worker, taken_once_there_is_room)
        assert (times("intake_paused"), times("intake_goes_on")) == (1, 1)
    assert not film.exists()


def test_a_stop_while_there_is_no_room_is_told_as_no_end_of_the_pause(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    full = Settings(home=tmp_path / "home", min_free_megabytes=10**9)
    with structlog.testing.capture_logs() as lines:
        wait_for_room(full, stop)
    assert [line["event"] for line in lines] == ["intake_paused"]


def test_a_preallocated_file_whose_writer_pauses_comes_in_whole(worker: Worker) -> None:
    worker = worker.with_settings(settle_seconds=0.1, incomplete_seconds=0.1)
    inbox, content = worker.settings.inbox_path, (FOLDER / "study-01.dcm").read_bytes()
    inbox.mkdir(parents=True)
    path = inbox / "film.dcm"

    def comes_in_at_last() -> bool:
        if left(worker).get("film.dcm") == "open_for_writing" and not file.closed:
            assert images(worker) == 0
            file.write(content[len(content) // 2 :])
            file.close()
        return images(worker) == 1

    file = path.open("wb", buffering=0)
    file.truncate(len(content))
    file.write(content[: len(content) // 2])
    run_until(worker, comes_in_at_last)
    with worker.database.read() as session:
        (image,) = session.scalars(select(Image))
        assert image.marks == ()
    assert worker.store.path(image.sha256).read_bytes() == content
    assert left(worker) == {}


def test_a_file_that_changes_while_it_is_copied_goes_back_and_comes_in_whole(
    worker: Worker,
) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "film.dcm")
    whole = a_dicom_file(inbox.parent / "whole.dcm").read_bytes()

    class WrittenMeanwhile(Store):
        """A store that is slow enough for a writer who holds the file since before its claim."""

        written = False

        def keep(self, source: Path) -> StoredFile:
            if not self.written:
                self.written = True
                with unchanged(source):
                    source.write_bytes(whole)
            return super().keep(source)

    run_until(worker, lambda: images(worker) == 1, store=WrittenMeanwhile(worker.store.root))
    with worker.database.read() as session:
        (image,) = session.scalars(select(Image))
    assert worker.store.path(image.sha256).read_bytes() == whole
    assert [path.name for path in inbox.rglob("*") if path.is_file()] == ["lock"]
