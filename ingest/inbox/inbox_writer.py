"""Writing into the inbox what comes over a network: whole and safe, or not at all.

A file is written out of the watcher's sight, made safe, and only then renamed into the inbox. Every
name is our own: none is built from what was sent.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from ingest.inbox.confined_paths import move, private_folder
from ingest.inbox.disk import intake_disk_space
from ingest.inbox.folders import sync
from readfirst.errors import Unavailable
from readfirst.settings import Settings

#: Folder in the inbox, hidden from the watcher, for what is still arriving: the same file system.
ARRIVING = ".arriving"
#: Nothing arrives for so long (seconds): what is older was left by a run that died.
LONGEST_ARRIVAL = 24 * 3600
FULL = (errno.ENOSPC, errno.EDQUOT)


def inbox_writer(settings: Settings, folder: str) -> "InboxWriter":
    """Make a writer into a folder of the site's inbox, for as long as the disk has room."""
    return InboxWriter(settings.inbox_path, folder, lambda: intake_disk_space(settings).enough)


class InboxWriter:
    """A writer into one folder of the inbox.

    folder: its name. has_room: tells whether the disk may take more.
    """

    def __init__(self, inbox: Path, folder: str, has_room: Callable[[], bool]) -> None:
        self._inbox = inbox
        self._folder = inbox / folder
        self._has_room = has_room

    def prepare(self) -> None:
        """Make the folders, so that the watcher knows them, and remove what a dead run left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        private_folder(self._inbox, ARRIVING)
        oldest = time.time() - LONGEST_ARRIVAL
        for left in (self._inbox / ARRIVING).glob("*.part"):
            # Other receivers remove them too.
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < oldest:
                    left.unlink()
        sync(self._inbox)

    def open(self) -> "IncomingFile":
        """Begin one file. Raises Unavailable when there is no room or no inbox."""
        name = uuid4().hex
        part = self._inbox / ARRIVING / f"{name}.part"
        try:
            if not self._has_room():
                raise Unavailable("The disk has too little room; nothing is taken in.")
            # Not with parents: an inbox that vanished, as an unmounted one, is not made anew here.
            private_folder(self._inbox, ARRIVING)
            self._folder.mkdir(exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise Unavailable(f"The inbox takes nothing: {error.strerror}.") from error
        return IncomingFile(os.fdopen(descriptor, "wb"), part, self._folder / name)


class IncomingFile:
    """A file on its way into the inbox. Leaving its `with` block undelivered removes it."""

    def __init__(self, file: BinaryIO, part: Path, target: Path) -> None:
        self._file = file
        self.part = part
        self._target = target
        self.size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.discard()

    @property
    def sha256(self) -> str:
        """The digest of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        """Add bytes. Raises Unavailable when the disk is full, OSError when it does not write."""
        self.size += len(content)
        self._digest.update(content)
        with _full_is_unavailable():
            self._file.write(content)

    def close(self) -> None:
        """Write out what is left; the file can then be read at `part`."""
        with _full_is_unavailable():
            self._file.close()

    def deliver(self) -> Path:
        """Put the file into the inbox; once this returns it survives a crash. Returns its path."""
        with _full_is_unavailable():
            if not self._file.closed:
                self._file.flush()
            sync(self.part)
            self.close()
            inbox = self._target.parent.parent
            move(inbox, self.part.relative_to(inbox), self._target.relative_to(inbox))
            sync(self._target.parent)
        return self._target

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
