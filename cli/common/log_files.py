"""Log files that do not fill the disk: what is written is moved on when it is large enough.

Several processes append to one file, Valkey among them, and keep it open. So its content is copied
and the file is emptied, as logrotate's `copytruncate` does it; a line that is written between the
two is lost.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger()


def move_on(logs: Iterable[Path], most_bytes: int, kept: int) -> None:
    """Empty the logs that have grown to so many bytes. kept: earlier files of each that stay, as
    `page.log.1`, the latest, to `page.log.5`. A fault is logged; no log is kept back for it.
    """
    for path in logs:
        if _size(path) < most_bytes:
            continue
        try:
            _move_on(path, kept)
        except OSError as error:
            log.error("log_not_moved", action="log", file=path.name, error=error.strerror)


def _size(path: Path) -> int:
    """The bytes of a log; 0 where there is none, or none that can be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _move_on(path: Path, kept: int) -> None:
    try:
        for number in range(kept, 1, -1):
            earlier = _numbered(path, number - 1)
            if earlier.exists():
                earlier.replace(_numbered(path, number))
        shutil.copyfile(path, _numbered(path, 1))
    except OSError:
        # The disk may be full, and this log may be what has filled it.
        with suppress(OSError):
            _numbered(path, 1).unlink()
        raise
    finally:
        os.truncate(path, 0)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
