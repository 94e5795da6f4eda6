"""What lies in the inbox, and which of it has settled. Events are a hint; the scan is the truth."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.claim import CLAIMED
from ingest.sandbox import Reader
from ingest.settle import Sighting, is_quiet, see
from readfirst.errors import Refused, Unavailable
from readfirst.refusals import RefusalCode

log = structlog.get_logger()
#: Seconds between two looks at the files that have not settled.
LOOK_SECONDS = 0.2
#: A file with such a name is still being written; it is taken once it is renamed.
PARTIAL_SUFFIXES = {".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart"}
#: A file that ends too early may still be growing.
INCOMPLETE = {RefusalCode.EMPTY_FILE, RefusalCode.TRUNCATED}


class Watcher:
    """Finds files in the inbox and its folders, and says which have settled.

    A file has settled when its size and time were quiet for `settle_seconds` and it is whole; one
    that is not whole gets `incomplete_seconds` to grow.
    """

    def __init__(
        self,
        inbox: Path,
        *,
        settle_seconds: float,
        incomplete_seconds: float,
        scan_seconds: float,
        reader: Reader,
    ) -> None:
        self._inbox = inbox
        self._settle_seconds = settle_seconds
        self._incomplete_seconds = incomplete_seconds
        self._scan_seconds = scan_seconds
        self._reader = reader
        self._seen: dict[Path, Sighting] = {}
        self._incomplete: dict[Path, Sighting] = {}
        self._unreadable: set[Path] = set()
        self._left: set[Path] = set()
        self._heard_folder: tuple[int, int] | None = None
        self._hints: set[Path] = set()
        self._hints_lock = threading.Lock()
        self._observer: BaseObserver | None = None
        self._next_scan = 0.0

    def settled(self, stop: threading.Event) -> Iterator[Path]:
        """Files to be claimed, as they settle, until `stop` is set.

        One that is still there afterwards is offered again at the next scan.
        """
        try:
            while not stop.is_set():
                for path in self.look(time.monotonic()):
                    yield path
                    if stop.is_set():
                        return
                stop.wait(LOOK_SECONDS)
        finally:
            self.close()

    def look(self, now: float) -> list[Path]:
        """Look once, at the time `now` (seconds, monotonic). Returns what has settled."""
        if now >= self._next_scan:
            self._scan(now)
        with self._hints_lock:
            hints, self._hints = self._hints, set()
        for path in hints:
            self._seen.setdefault(path, Sighting(-1, -1, now))
        settled = [path for path in list(self._seen) if self._has_settled(path, now)]
        for path in settled:
            self.forget(path)
        return settled

    def forget(self, path: Path) -> None:
        """Drop what is known of a file; the next scan finds it again if it is still there."""
        self._seen.pop(path, None)
        self._incomplete.pop(path, None)
        self._unreadable.discard(path)

    def _leave(self, path: Path) -> None:
        """Leave a file until the next scan; log it once, without its name, maybe a patient's."""
        self._unreadable.add(path)
        if path not in self._left:
            self._left.add(path)
            log.warning("not_readable", action="watch", suffix=path.suffix)

    def close(self) -> None:
        """Stop listening to events."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _scan(self, now: float) -> None:
        """Find every file, whatever events said, and listen again if nobody listens."""
        self._next_scan = now + self._scan_seconds
        self._unreadable.clear()
        self._left = {path for path in self._left if path.exists()}
        if not self._hears():
            self._listen()
        for folder, folders, files in os.walk(self._inbox, followlinks=False):
            folders[:] = [name for name in folders if not is_hidden(name)]
            for name in files:
                if is_candidate(name):
                    self._seen.setdefault(Path(folder) / name, Sighting(-1, -1, now))

    def _hears(self) -> bool:
        """Whether events still come: not from a folder that was replaced by another."""
        alive = self._observer is not None and self._observer.is_alive()
        return alive and self._heard_folder == _identity(self._inbox)

    def _listen(self) -> None:
        self.close()
        self._heard_folder = _identity(self._inbox)
        observer = Observer()
        try:
            observer.schedule(_Hints(self), str(self._inbox), recursive=True)
            observer.start()
        except OSError as error:
            # No events here (the folder is gone, or inotify is used up): the scan goes on.
            log.warning("no_events", action="watch", error=str(error))
            return
        self._observer = observer

    def _has_settled(self, path: Path, now: float) -> bool:
        try:
            found = path.lstat()
        except OSError:
            self.forget(path)
            return False
        if not stat.S_ISREG(found.st_mode):
            self.forget(path)
            return False
        sighting = see(self._seen.get(path), found.st_size, found.st_mtime_ns, now)
        self._seen[path] = sighting
        if path in self._unreadable or not is_quiet(sighting, now, self._settle_seconds):
            return False
        if self._incomplete.get(path) == sighting:
            # It was not whole, and has not changed since.
            return is_quiet(sighting, now, self._settle_seconds + self._incomplete_seconds)
        return self._is_whole(path, sighting)

    def _is_whole(self, path: Path, sighting: Sighting) -> bool:
        try:
            self._reader.header(path)
        except Refused as refusal:
            if refusal.code in INCOMPLETE:
                self._incomplete[path] = sighting
                return False
        except Unavailable:
            # Without permission, say. It stays in the inbox, and is tried again at the next scan.
            self._leave(path)
            return False
        return True

    def hint(self, path: Path) -> None:
        """An event named this path: look at it soon. Called from the observer's thread."""
        names = path.relative_to(self._inbox).parts if path.is_relative_to(self._inbox) else ()
        if names and is_candidate(names[-1]) and not any(is_hidden(name) for name in names[:-1]):
            with self._hints_lock:
                self._hints.add(path)


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder this path names at the moment; None if there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the inbox's business, as our own folder of claims."""
    return name.startswith(".") or name == CLAIMED


def is_candidate(name: str) -> bool:
    """Whether a file of this name can be taken, or is hidden or still being written."""
    return (
        not is_hidden(name)
        and not name.endswith("~")
        and os.path.splitext(name)[1].lower() not in PARTIAL_SUFFIXES  # noqa: PTH122
    )


class _Hints(FileSystemEventHandler):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def on_any_event(self, event: FileSystemEvent) -> None:
        for name in (event.src_path, event.dest_path):
            if name and not event.is_directory:
                self._watcher.hint(Path(os.fsdecode(name)))
