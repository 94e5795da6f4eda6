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

from readfirst.errors import Unavailable

CHUNK = 1024 * 1024
#: No copy rests for so long while it is made (seconds).
LONGEST_COPY = 3600


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is safe in the store."""

    sha256: str
    size: int


class Store:
    """A folder of originals. Nothing in it is ever changed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the content with this digest lies, or would."""
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the content with this digest is there."""
        return self.path(sha256).is_file()

    def keep(self, source: Path) -> Stored:
        """Copy a file in. Once this returns, the copy survives a crash; the same content twice
        is kept once. Raises Unavailable when the disk is full.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        partial = self.root / f".{uuid4().hex}.part"
        try:
            stored = _copy(source, partial)
            place = self.path(stored.sha256)
            if place.exists() and place.stat().st_size == stored.size:
                # It came in again, so its time in the store begins again.
                os.utime(place)
                return stored
            place.parent.mkdir(exist_ok=True)
            partial.replace(place)
            _sync_folder(place.parent)
            _sync_folder(self.root)
            return stored
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable(f"The disk of {self.root} is full.") from error
            raise
        finally:
            partial.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove the copies that runs which died have left half done. Returns how many."""
        oldest = time.time() - LONGEST_COPY
        swept = 0
        for partial in self.root.glob(".*.part"):
            with suppress(FileNotFoundError):
                if partial.stat().st_mtime < oldest:
                    partial.unlink()
                    swept += 1
        return swept

    def remove(self, sha256: str, *, kept_since: datetime) -> bool:
        """Let an original go, unless it came in at that time or later. Whether it is gone."""
        place = self.path(sha256)
        try:
            if place.stat().st_mtime >= kept_since.timestamp():
                return False
            place.unlink()
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


def _copy(source: Path, target: Path) -> Stored:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return Stored(digest.hexdigest(), size)


def _sync_folder(folder: Path) -> None:
    """Make the new name as safe as the content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
