"""Folders on the disk: empty ones are removed, and what was written to them is made safe."""

import os
from pathlib import Path


def remove_empty(folder: Path, root: Path) -> None:
    """Remove folders from this one up to the root, which stays, as long as they are empty."""
    while folder != root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a crash."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
