"""The rules by which a file counts as written to its end.

Nothing of it has changed for a while, and nobody on this machine has it open for writing. Of a
writer on another machine nobody here can know.
"""

import errno
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from readfirst.errors import BeingWritten


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherTimeouts:
    """The waiting times of the watcher (seconds).

    settle: a file's size and time are quiet before it is taken. incomplete: one that is not whole
    may grow for so long. scan: between two scans. poll: rely on no events, and scan more often.
    """

    settle: float
    incomplete: float
    scan: float
    poll: bool = False


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file's size and modification time, and since when they are the same (seconds)."""

    size: int
    mtime_ns: int
    quiet_since: float


def next_snapshot(
    before: FileSnapshot | None, size: int, mtime_ns: int, now: float
) -> FileSnapshot:
    """Return the snapshot after one more look: the one before, if the file is still the same."""
    if before is not None and (before.size, before.mtime_ns) == (size, mtime_ns):
        return before
    return FileSnapshot(size, mtime_ns, now)


def is_quiet(snapshot: FileSnapshot, now: float, seconds: float) -> bool:
    """Return whether nothing of the file has changed for so long."""
    return now - snapshot.quiet_since >= seconds


class Writers:
    """The writers on this machine, as they are at the moment; make it anew for every look."""

    def has(self, path: Path) -> bool:
        """Return whether somebody has a file open for writing, as far as can be seen.

        The kernel knows it of files of ours, and of all files where we are root; where it does not
        say it, as on most network file systems, the processes that may be looked into are asked.
        """
        known = _by_lease(path)
        return self._by_processes(path) if known is None else known

    def _by_processes(self, path: Path) -> bool:
        with suppress(OSError):
            status = path.stat()
            return (status.st_dev, status.st_ino) in self._written
        return False

    @cached_property
    def _written(self) -> set[tuple[int, int]]:
        """Device and inode of every file that a process writes which may be looked into."""
        return {file for process in _processes() for file in _written_by(process)}


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Raise BeingWritten if a file changes within the block."""
    before = _look(path)
    try:
        yield
    finally:
        # Whatever was found in it: it was not read as it is now.
        if _look(path) != before:
            raise BeingWritten("It changed while it was read.")


def _look(path: Path) -> tuple[int, int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _by_lease(path: Path) -> bool | None:
    """Ask the kernel for a read lease, which it gives only where nobody writes (fcntl(2)).

    None where it gives none: a file of somebody else, or a file system without leases.
    """
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Whoever opens it in this moment has us told; this signal does nothing by itself.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return False


def _processes() -> list[Path]:
    """List the folders of all processes, where the system shows them (proc(5))."""
    with suppress(OSError):
        return [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return []


def _written_by(process: Path) -> Iterator[tuple[int, int]]:
    """Find the files that a process has open for writing; none where we may not look."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError, ValueError):
                if not descriptor.readlink().is_absolute():
                    # A pipe or a socket.
                    continue
                about = (process / "fdinfo" / descriptor.name).read_text()
                flags = int(about.partition("flags:")[2].split()[0], 8)
                if flags & os.O_ACCMODE != os.O_RDONLY:
                    status = descriptor.stat()
                    yield status.st_dev, status.st_ino
