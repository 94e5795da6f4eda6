"""The watcher: it finds the files of one inbox and offers those that have settled.

Events are a hint; the scan is the truth.
"""

import stat
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ingest.inbox.file_names import as_text
from ingest.inbox.watcher.file_events import FileEvents
from ingest.inbox.watcher.pending_file import (
    FileState,
    NextStep,
    PendingFile,
    Reason,
    after_event,
    after_look,
    after_scan,
    deferred,
    incomplete,
    left,
    next_step,
    open_for_writing,
)
from ingest.inbox.watcher.scan import scan
from ingest.inbox.watcher.stability import WatcherTimeouts, Writers
from readfirst.domain import Header
from readfirst.errors import Refused, Unavailable
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.refusals import RefusalCode

#: Seconds between two looks at the files that have not settled.
LOOK_SECONDS = 0.2
#: Seconds between two scans where nobody tells of changes.
POLL_SECONDS = 2.0
#: Files in one look, at most, so that neither scans nor events wait for thousands of them.
MOST_AT_ONCE = 64
#: A file that ends too early may still be growing.
INCOMPLETE = {RefusalCode.EMPTY_FILE, RefusalCode.TRUNCATED}
#: Issues that are reported at a time, at most.
MOST_ISSUES = 200


class Watcher:
    """A watcher of one inbox, as long as it is the same folder.

    A file has settled when its size and time were quiet for a while, nobody is seen to have it open
    for writing, and it is whole. read_header: tells that by reading the header of a file; raises
    Refused or Unavailable. report: takes again
    and again the issues of what cannot be taken. events: hints about this inbox. clock: seconds, as
    `time.monotonic` gives them.

    The header is read here only to see that the file is whole, and is not handed on: it is the
    header of bytes that somebody may still change. Size, time and inode prove nothing to the
    contrary: some file servers keep the time that a writer has set while it goes on writing, and
    some clients see both late. Intake reads what the store keeps, which nobody changes any more.
    """

    def __init__(
        self,
        inbox: Path,
        *,
        timeouts: WatcherTimeouts,
        read_header: Callable[[Path], Header],
        report: Callable[[frozenset[InboxIssue]], None] = lambda _: None,
        events: FileEvents | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._timeouts = timeouts
        self._read_header = read_header
        self._report = report
        self._identity = _identity(inbox)
        self._events = events or FileEvents(inbox)
        self._clock = clock
        self._files: dict[Path, PendingFile] = {}
        self._events_missed = False
        self._next_scan = clock()
        self._writers = Writers()

    def settled(self, stop: threading.Event) -> Iterator[Path]:
        """Offer files to be claimed, as they settle, until `stop` is set or the inbox is gone.

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
                    self._report(self.issues())
                    stop.wait(LOOK_SECONDS)
        finally:
            self.close()

    def is_there(self) -> bool:
        """Return whether the inbox is still the folder that it was: not gone, not another one."""
        return self._identity is not None and self._identity == _identity(self._inbox)

    def look(self) -> Iterator[Path]:
        """Look once. Gives the files that have settled, a bounded number at a time."""
        if self._clock() >= self._next_scan:
            self._scan()
        self._writers = Writers()
        for path in self._events.take():
            self._files[path] = after_event(self._files.get(path))
        yield from islice(filter(self._has_settled, list(self._files)), MOST_AT_ONCE)

    def defer(self, path: Path, code: InboxIssueCode, detail: str) -> None:
        """Report of a file that it cannot be taken; it is tried again at the next scan."""
        self._files[path] = deferred(self._files.get(path), Reason(code, detail))

    def issues(self) -> frozenset[InboxIssue]:
        """List what cannot be taken, as far as it is known; at most `MOST_ISSUES` of it."""
        reasons = {path: file.reason for path, file in self._files.items() if file.reason}
        return frozenset(
            InboxIssue(reasons[path].code, self._name(path), reasons[path].detail)
            for path in sorted(reasons)[:MOST_ISSUES]
        )

    def close(self) -> None:
        """Stop listening to events."""
        self._events.close()

    def _name(self, path: Path) -> str:
        return as_text(path.relative_to(self._inbox)).as_posix()

    def _scan(self) -> None:
        """Find every file, whatever events said, and what cannot be taken."""
        unannounced = self._listen()
        entries = {entry.path: entry for entry in scan(self._inbox)}
        files = {
            path: after_scan(self._files.get(path), entries.get(path), unannounced=unannounced)
            for path in self._files | entries
        }
        self._files = {path: file for path, file in files.items() if file is not None}

    def _listen(self) -> bool:
        """Listen if nobody does, or if events were missed, and set the time of the next scan.

        Returns whether events must have named what lies there now.
        """
        announced = self._events.alive and not self._events_missed
        hears = announced or (not self._timeouts.poll and self._events.listen())
        self._events_missed = False
        pause = self._timeouts.scan
        self._next_scan = self._clock() + (pause if hears else min(pause, POLL_SECONDS))
        return announced

    def _has_settled(self, path: Path) -> bool:
        """Look at one file; one that has settled leaves the table."""
        now = self._clock()
        file = self._looked_at(path, now)
        if file is None or not self._is_ready(path, file, now):
            return False
        # An event that has not come by now was lost, and maybe others with it.
        self._events_missed = self._events_missed or file.unannounced
        del self._files[path]
        return True

    def _looked_at(self, path: Path, now: float) -> PendingFile | None:
        """Look at the size and time of a file. None if it is gone, or no file to be taken."""
        file = self._files[path]
        if file.state is FileState.LEFT:
            return None
        try:
            status = path.lstat()
        except OSError:
            # The next scan finds it again if it is still there.
            del self._files[path]
            return None
        is_file = stat.S_ISREG(status.st_mode)
        size, mtime_ns = status.st_size, status.st_mtime_ns
        self._files[path] = after_look(file, size, mtime_ns, now) if is_file else left(file)
        return self._files[path] if is_file else None

    def _is_ready(self, path: Path, file: PendingFile, now: float) -> bool:
        """Return whether a file is to be taken now; reads it if its size and time are quiet."""
        step = next_step(file, now, self._timeouts)
        if step is NextStep.WAIT:
            return False
        if self._writers.has(path):
            self._files[path] = open_for_writing(file, now, self._timeouts)
            return False
        return step is NextStep.TAKE or self._is_whole(path, file)

    def _is_whole(self, path: Path, file: PendingFile) -> bool:
        """Read whether a file is whole; one that may not be is given time."""
        try:
            if self._read_header(path).may_be_cut:
                self._files[path] = incomplete(file)
                return False
        except Refused as refusal:
            if refusal.code in INCOMPLETE:
                self._files[path] = incomplete(file)
                return False
        except Unavailable as error:
            # Without permission, say. It stays in the inbox, and is tried again at the next scan.
            self._files[path] = deferred(file, Reason(InboxIssueCode.NOT_READABLE, str(error)))
            return False
        return True


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return which folder this path names at the moment; None if there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
