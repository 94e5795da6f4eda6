"""Watchers whose time passes only when a test says so, and children that wait to be asked."""

import fcntl
import os
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.inbox.watcher.file_events import FileEvents
from ingest.inbox.watcher.inbox_watcher import Watcher
from ingest.inbox.watcher.stability import WatcherTimeouts
from ingest.reader.reader_process import Reader
from tests.support.waiting import Clock, wait_until

#: Seconds of the watcher's own time. Scans are rare enough to be told from events.
STABLE, INCOMPLETE, SCAN = 0.3, 0.8, 100_000.0
#: Of which so many pass between two looks.
STEP = 0.1


class LossyEvents(FileEvents):
    """Events that get lost as long as nobody listens anew."""

    def __init__(self, inbox: Path) -> None:
        super().__init__(inbox)
        self.lost = False

    def on_any_event(self, event: object) -> None:
        if not self.lost:
            super().on_any_event(event)  # type: ignore[arg-type]

    def listen(self) -> bool:
        self.lost = False
        return super().listen()


class Looker:
    """A watcher with a clock of its own."""

    def __init__(self, inbox: Path, reader: Reader) -> None:
        self.clock = Clock()
        self.events = LossyEvents(inbox)
        timeouts = WatcherTimeouts(settle=STABLE, incomplete=INCOMPLETE, scan=SCAN)
        self.watcher = Watcher(
            inbox,
            timeouts=timeouts,
            read_header=reader.header,
            events=self.events,
            clock=self.clock,
        )

    def look(self) -> list[Path]:
        """Look once, a step later."""
        self.clock.now += STEP
        return list(self.watcher.look())

    def scan(self) -> list[Path]:
        """Look once, when it is time for a scan."""
        self.clock.now += SCAN
        return list(self.watcher.look())

    def within(self, seconds: float) -> list[Path]:
        """Return what settles in a time of the watcher's own."""
        return [path for _ in range(round(seconds / STEP)) for path in self.look()]

    def until(self, *wanted: Path) -> list[Path]:
        """Look until files have settled, without a scan; gives all that has."""
        settled: list[Path] = []

        def there() -> bool:
            settled.extend(self.look())
            return set(wanted) <= set(settled)

        wait_until(there)
        return settled


@contextmanager
def when_asked(reader: Reader, then: Callable[[int], object]) -> Iterator[None]:
    """Do something to the reader's child, which is stopped, once it has been asked for a file.

    then: takes the number of the process.
    """
    pid = reader.pid
    assert pid is not None

    def wait() -> None:
        wait_until(lambda: _unread(pid), pause=0.01)
        then(pid)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _unread(pid: int) -> int:
    """Count the bytes that a process has not read of what was written to it (Linux)."""
    pipe = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    try:
        unread = fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4)
    finally:
        os.close(pipe)
    return int(struct.unpack("i", unread)[0])
