"""Bringing bytes into the inbox by a way other than dropping a file: whole and safe, or not at all.

What comes over a network is written out of the watcher's sight, made safe, and only then renamed
into the inbox. Every name is our own: none is built from what was sent.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from ingest.disk import intake_room
from readfirst.errors import Unavailable
from readfirst.settings import Settings

#: Folder in the inbox, hidden from the watcher, for what is still arriving: the same file system.
ARRIVING = ".arriving"
#: Nothing arrives for so long (seconds): what is older was left by a run that died.
LONGEST_ARRIVAL = 24 * 3600
FULL = (errno.ENOSPC, errno.EDQUOT)


def inlet(settings: Settings, way: str) -> "Inlet":
    """A way into the site's inbox, for as long as there is room."""
    return Inlet(settings.inbox_path, way, lambda: intake_room(settings).enough)


class Inlet:
    """One way into the inbox, which is a folder of it.

    way: the folder's name. has_room: whether the disk may take more.
    """

    def __init__(self, inbox: Path, way: str, has_room: Callable[[], bool]) -> None:
        self._inbox = inbox
        self._folder = inbox / way
        self._has_room = has_room

    def prepare(self) -> None:
        """Make the folders, so that the watcher knows them, and remove what a dead run left."""
        for folder in (self._folder, self._inbox / ARRIVING):
            folder.mkdir(parents=True, exist_ok=True)
        oldest = time.time() - LONGEST_ARRIVAL
        for left in (self._inbox / ARRIVING).glob("*.part"):
            if left.stat().st_mtime < oldest:
                left.unlink(missing_ok=True)
        _sync(self._inbox)

    def open(self) -> "Parcel":
        """Begin one file. Raises Unavailable when there is no room or no inbox."""
        name = uuid4().hex
        part = self._inbox / ARRIVING / f"{name}.part"
        try:
            if not self._has_room():
                raise Unavailable("The disk has too little room; nothing is taken in.")
            # Not with parents: an inbox that vanished, as an unmounted one, is not made anew here.
            for folder in (part.parent, self._folder):
                folder.mkdir(exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise Unavailable(f"The inbox takes nothing: {error.strerror}.") from error
        return Parcel(os.fdopen(descriptor, "wb"), part, self._folder / name)


class Parcel:
    """One file on its way. Leaving its `with` block undelivered removes it."""

    def __init__(self, file: BinaryIO, part: Path, place: Path) -> None:
        self._file = file
        self.part = part
        self._place = place
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, content: bytes) -> None:
        """Add bytes. Raises Unavailable when the disk is full, OSError when it does not write."""
        self.size += len(content)
        with _full_is_unavailable():
            self._file.write(content)

    def close(self) -> None:
        """Write out what is left; the file can then be read at `part`."""
        with _full_is_unavailable():
            self._file.close()

    def deliver(self) -> Path:
        """Put the file into the inbox; once this returns it survives a crash. Returns its place."""
        with _full_is_unavailable():
            if not self._file.closed:
                self._file.flush()
            _sync(self.part)
            self.close()
            self.part.rename(self._place)
            _sync(self._place.parent)
        return self._place

    def discard(self) -> None:
        """Forget the file, unless it has been delivered."""
        # What was still held back and cannot be written is not wanted either.
        with suppress(OSError):
            self._file.close()
        self.part.unlink(missing_ok=True)


@contextmanager
def _full_is_unavailable() -> Iterator[None]:
    """A full disk passes; any other fault of it goes on as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Unavailable("The disk is full.") from error
        raise


def _sync(path: Path) -> None:
    """Make a file's content, or a folder's names, safe."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
