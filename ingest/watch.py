"""What lies in the inbox, and which of it has settled. Events are a hint; the scan is the truth."""

import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import structlog

from ingest.claim import as_text
from ingest.events import Events
from ingest.sandbox import Reader
from ingest.settle import Sighting, is_quiet, see
from ingest.survey import Found, survey
from readfirst.errors import Refused, Unavailable
from readfirst.notices import Notice, NoticeCode
from readfirst.refusals import RefusalCode

log = structlog.get_logger()
#: Seconds between two looks at the files that have not settled.
LOOK_SECONDS = 0.2
#: Seconds between two scans where nobody tells of changes.
POLL_SECONDS = 2.0
#: Files in one look, at most, so that neither scans nor events wait for thousands of them.
MOST_AT_ONCE = 64
#: A file that ends too early may still be growing.
INCOMPLETE = {RefusalCode.EMPTY_FILE, RefusalCode.TRUNCATED}
#: Things left in the inbox that are told of, at most.
MOST_NOTICES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the watcher waits for what (seconds).

    settle: a file's size and time are quiet before it is taken. incomplete: one that is not whole
    may grow. scan: between two scans. poll: whether to rely on no events, and scan more often.
    """

    settle: float
    incomplete: float
    scan: float
    poll: bool = False


class Watcher:
    """Finds files in one inbox, as long as it is the same folder, and says which have settled.

    A file has settled when its size and time were quiet for a while and it is whole. report: is
    told again and again what cannot be taken.
    """

    def __init__(
        self,
        inbox: Path,
        *,
        patience: Patience,
        reader: Reader,
        report: Callable[[frozenset[Notice]], None] = lambda _: None,
    ) -> None:
        self._inbox = inbox
        self._patience = patience
        self._reader = reader
        self._report = report
        self._identity = _identity(inbox)
        self._events = Events(inbox)
        self._seen: dict[Path, Sighting] = {}
        self._incomplete: dict[Path, Sighting] = {}
        #: What cannot be taken, and why.
        self._left: dict[Path, Found] = {}
        #: What is not tried again before the next scan.
        self._put_off: set[Path] = set()
        #: What a scan has found and no event has named.
        self._untold: set[Path] = set()
        self._missed = False
        self._next_scan = 0.0

    def settled(self, stop: threading.Event) -> Iterator[Path]:
        """Files to be claimed, as they settle, until `stop` is set or the inbox is gone.

        One that is still there afterwards is offered again at the next scan.
        """
        try:
            while not stop.is_set() and self.is_there():
                idle = True
                for path in self.look():
                    idle = False
                    yield path
                    if stop.is_set():
                        return
                if idle:
                    self._report(self.notices())
                    stop.wait(LOOK_SECONDS)
        finally:
            self.close()

    def is_there(self) -> bool:
        """Whether the inbox is still the folder that it was: not gone, and not another one."""
        return self._identity is not None and self._identity == _identity(self._inbox)

    def look(self) -> Iterator[Path]:
        """Look once. Gives what has settled, a bounded number at a time."""
        if time.monotonic() >= self._next_scan:
            self._scan()
        for path in self._events.take():
            self._untold.discard(path)
            self._notice_file(path)
        yield from islice(filter(self._has_settled, list(self._seen)), MOST_AT_ONCE)

    def leave(self, path: Path, code: NoticeCode, detail: str) -> None:
        """Say of a file that it cannot be taken; it is tried again at the next scan."""
        self._left[path] = Found(path, code, detail)
        self._put_off.add(path)

    def close(self) -> None:
        """Stop listening to events."""
        self._events.close()

    def _scan(self) -> None:
        """Find every file, whatever events said, and what cannot be taken."""
        announced = self._listen()
        self._put_off.clear()
        tried = {path: left for path, left in self._left.items() if left.code in TRIED_AGAIN}
        self._left = {}
        for found in survey(self._inbox):
            if found.code is not None:
                self._left[found.path] = found
            elif found.path in tried:
                self._left[found.path] = tried[found.path]
            if found.code is None and found.path not in self._seen:
                self._notice_file(found.path)
                if announced and found.path not in tried:
                    self._untold.add(found.path)

    def _listen(self) -> bool:
        """Listen if nobody does, or if events were missed, and say when to scan next.

        Returns whether what lies there now must have been announced by events.
        """
        announced = self._events.alive and not self._missed
        hears = announced or (not self._patience.poll and self._events.listen())
        self._missed = False
        pause = self._patience.scan
        self._next_scan = time.monotonic() + (pause if hears else min(pause, POLL_SECONDS))
        return announced

    def notices(self) -> frozenset[Notice]:
        """What cannot be taken, as far as it is known."""
        told = sorted(self._left.values(), key=lambda left: left.path)[:MOST_NOTICES]
        return frozenset(
            Notice(left.code, as_text(left.path.relative_to(self._inbox)).as_posix(), left.detail)
            for left in told
            if left.code is not None
        )

    def _notice_file(self, path: Path) -> None:
        self._seen.setdefault(path, Sighting(-1, -1, time.monotonic()))

    def _forget(self, path: Path) -> None:
        """Drop what is known of a file; the next scan finds it again if it is still there."""
        self._seen.pop(path, None)
        self._incomplete.pop(path, None)
        self._put_off.discard(path)
        self._untold.discard(path)

    def _has_settled(self, path: Path) -> bool:
        """Look at one file; one that has settled is forgotten here."""
        now = time.monotonic()
        try:
            found = path.lstat()
        except OSError:
            self._forget(path)
            return False
        if not stat.S_ISREG(found.st_mode):
            self._forget(path)
            return False
        sighting = see(self._seen.get(path), found.st_size, found.st_mtime_ns, now)
        self._seen[path] = sighting
        if path in self._put_off or not is_quiet(sighting, now, self._patience.settle):
            return False
        settle, incomplete = self._patience.settle, self._patience.incomplete
        # It was not whole, and has not changed since.
        waits = self._incomplete.get(path) == sighting
        if not (is_quiet(sighting, now, settle + incomplete) if waits else self._is_whole(path)):
            return False
        # An event that has not come by now was lost, and maybe others with it.
        self._missed = self._missed or path in self._untold
        self._forget(path)
        return True

    def _is_whole(self, path: Path) -> bool:
        try:
            self._reader.header(path)
        except Refused as refusal:
            if refusal.code in INCOMPLETE:
                self._incomplete[path] = self._seen[path]
                return False
        except Unavailable as error:
            # Without permission, say. It stays in the inbox, and is tried again at the next scan.
            self.leave(path, NoticeCode.NOT_READABLE, str(error))
            return False
        if self._left.get(path, NOTHING).code is NoticeCode.NOT_READABLE:
            del self._left[path]
        return True


#: What may be otherwise at the next scan, though it looks the same.
TRIED_AGAIN = {NoticeCode.NOT_READABLE, NoticeCode.NOT_MOVABLE}
NOTHING = Found(Path())


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder this path names at the moment; None if there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
