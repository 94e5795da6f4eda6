"""A folder in memory, for what no test keeps and what a disk would make slow."""

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
#: Bytes that have to be free: each of several test processes has a server with some databases.
LEAST: Final = 2 * 1024**3


def memory_folder() -> Path | None:
    """A file system in memory with room for databases, on Linux; None where there is none."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= LEAST else None
