"""Originals, kept for good unless the site says otherwise, each under the sha256 of its content."""

import errno
import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from ingest.inbox.confined_paths import open_regular
from ingest.inbox.folders import sync
from ingest.inbox.watcher.stability import unchanged
from readfirst.errors import Unavailable

CHUNK = 1024 * 1024
#: No copy rests for so long while it is made (seconds).
LONGEST_COPY = 3600


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is safe in the store. path: where it lies."""

    sha256: str
    size: int
    path: Path


class Store:
    """A folder of originals. Nothing in it is ever changed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return the path where the content with this digest lies, or would."""
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Return whether the content with this digest is there."""
        return self.path(sha256).is_file()

    def keep(self, source: Path) -> StoredFile:
        """Copy a file in. Once this returns, the copy survives a crash; the same content twice
        is kept once. Raises Unavailable when the disk is full, and BeingWritten when the file
        changed meanwhile.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        partial = self.root / f".{uuid4().hex}.part"
        try:
            with unchanged(source):
                sha256, size = _copy(source, partial)
            stored = StoredFile(sha256, size, self.path(sha256))
            if stored.path.exists() and stored.path.stat().st_size == size:
                # It came in again, so its time in the store begins again.
                os.utime(stored.path)
                return stored
            stored.path.parent.mkdir(exist_ok=True)
            partial.replace(stored.path)
            sync(stored.path.parent)
            sync(self.root)
            return stored
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable(f"The disk of {self.root} is full.") from error
            raise
        finally:
            partial.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove the copies that runs which died have left half done. Returns their number."""
        oldest = time.time() - LONGEST_COPY
        swept = 0
        for partial in self.root.glob(".*.part"):
            with suppress(FileNotFoundError):
                if partial.stat().st_mtime < oldest:
                    partial.unlink()
                    swept += 1
        return swept

    def remove(self, sha256: str, *, kept_since: datetime) -> bool:
        """Remove an original, unless it came in at that time or later. True if it is gone."""
        path = self.path(sha256)
        try:
            if path.stat().st_mtime >= kept_since.timestamp():
                return False
            path.unlink()
        except FileNotFoundError:
            return True
        return True

    def export(self, sha256: str, target: BinaryIO) -> None:
        """Write an original out. Raises Unavailable if it is gone, or is not what came in."""
        digest = hashlib.sha256()
        try:
            with self.path(sha256).open("rb") as original:
                while chunk := original.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
        except FileNotFoundError as error:
            raise Unavailable(f"The original {sha256} is not in the store.") from error
        if digest.hexdigest() != sha256:
            raise Unavailable(f"The original {sha256} was changed since it came in.")


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file, safe from a crash. Returns the sha256 of its content, and its size."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(open_regular(source), "rb") as read, os.fdopen(descriptor, "wb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest(), size
