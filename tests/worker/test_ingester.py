import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy import func, select

from db.tables import Image
from ingest.claim import claim, leftovers
from ingest.disk import MEBIBYTE
from readfirst.errors import Unavailable
from readfirst.samples import FOLDER
from tests.ingest.builders import a_dicom_file
from worker.ingester import run_ingester
from worker.resources import Resources


def images(resources: Resources) -> int:
    with resources.database.read() as session:
        return session.scalar(select(func.count()).select_from(Image)) or 0


def run_until(resources: Resources, done: Callable[[], bool], seconds: float = 15) -> None:
    """Run the ingester in a thread until something holds."""
    stop = threading.Event()
    thread = threading.Thread(target=run_ingester, args=(resources, stop))
    thread.start()
    end = time.monotonic() + seconds
    try:
        while not done() and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        stop.set()
        thread.join(10)
    assert done()


def test_what_lies_there_at_the_start_is_taken_in_and_the_inbox_is_empty(
    resources: Resources,
) -> None:
    inbox = resources.settings.inbox_path
    (inbox / "ward").mkdir(parents=True)
    for number, name in enumerate(("study-01.dcm", "film-01.jpg")):
        (inbox / "ward" / f"{number}").write_bytes((FOLDER / name).read_bytes())
    run_until(resources, lambda: images(resources) == 2)
    assert [path for path in inbox.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_what_a_run_that_died_had_claimed_is_taken_in_at_the_next_start(
    resources: Resources,
) -> None:
    inbox = resources.settings.inbox_path
    inbox.mkdir(parents=True)
    assert claim(inbox, a_dicom_file(inbox / "film.dcm"))
    run_until(resources, lambda: images(resources) == 1)
    assert leftovers(inbox) == []


class FullForAWhile:
    """A store whose disk is full twice and then has room again."""

    def __init__(self, resources: Resources) -> None:
        self._store = resources.store
        self._full = 1

    def keep(self, source: Path) -> object:
        if self._full:
            self._full -= 1
            raise Unavailable("The disk is full.")
        return self._store.keep(source)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_a_full_disk_is_waited_for_and_nothing_is_lost(resources: Resources) -> None:
    inbox = resources.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "film.dcm")
    full = replace(resources, store=FullForAWhile(resources))  # type: ignore[arg-type]
    run_until(full, lambda: images(resources) == 1)


class Unreadable(FullForAWhile):
    """A store that cannot read one of the files."""

    def keep(self, source: Path) -> object:
        if source.name == "locked.dcm":
            raise PermissionError(13, "Permission denied")
        return self._store.keep(source)


def test_a_file_that_cannot_be_read_goes_back_and_stops_no_other(resources: Resources) -> None:
    inbox = resources.settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "locked.dcm")
    a_dicom_file(inbox / "open.dcm")
    unreadable = replace(resources, store=Unreadable(resources))  # type: ignore[arg-type]
    run_until(unreadable, lambda: images(resources) == 1)
    assert (inbox / "locked.dcm").is_file()


def test_below_the_watermark_files_stay_and_intake_goes_on_by_itself(
    resources: Resources, small_disk: Path
) -> None:
    settings = resources.settings.model_copy(
        update={"inbox": small_disk / "inbox", "min_free_megabytes": 4}
    )
    inbox, ballast = settings.inbox_path, small_disk / "ballast"
    inbox.mkdir()
    ballast.write_bytes(bytes(6 * MEBIBYTE))
    film = a_dicom_file(inbox / "film.dcm")

    with structlog.testing.capture_logs() as lines:

        def said(event: str) -> int:
            return sum(line["event"] == event for line in lines)

        def taken_once_there_is_room() -> bool:
            if ballast.exists() and said("intake_paused"):
                assert film.exists()
                assert images(resources) == 0
                ballast.unlink()
            return images(resources) == 1

        run_until(replace(resources, settings=settings), taken_once_there_is_room)
        assert (said("intake_paused"), said("intake_goes_on")) == (1, 1)
    assert not film.exists()
