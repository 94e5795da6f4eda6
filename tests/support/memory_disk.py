"""A folder in memory, for what no test keeps and what a disk would make slow."""

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
#: Bytes that have to be free: each of several test processes has a server with some databases.
LEAST: Final = 2 * 1024**3
#: Bytes that have to be free for the files of all tests besides, which take less than half of it.
LEAST_FOR_FILES: Final = 4 * 1024**3


def memory_folder(least: int = LEAST) -> Path | None:
    """A file system in memory where so many bytes are free, on Linux; None where there is none."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= least else None


def keep_files_in_memory() -> None:
    """Let pytest make the folders of tests there, unless somebody has said where.

    No store has to wait for the disk, nor a database: a tenth of the processor time of their tests.
    """
    if folder := memory_folder(LEAST_FOR_FILES):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))
