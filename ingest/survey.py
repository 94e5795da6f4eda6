"""One walk through the whole inbox: which files may be taken, and what never can be, and why."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.claim import CLAIMED
from readfirst.notices import NoticeCode

#: A file with such a name is still being written; it is taken once it is renamed.
PARTIAL_SUFFIXES = {".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart"}
#: Nobody writes into a file for so long and then goes on (seconds).
UNFINISHED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the inbox. code: why it cannot be taken; None for a file that can."""

    path: Path
    code: NoticeCode | None = None
    detail: str = ""


def survey(inbox: Path, unfinished_seconds: float = UNFINISHED_SECONDS) -> Iterator[Found]:
    """Every file of the inbox and its folders that may be taken, and what lies in their way.

    Nothing is opened but folders, and no link is followed. What is hidden is none of its business.
    """
    folders = [inbox]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if is_hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(folder / entry.name)
                    elif found := _found(folder, entry, unfinished_seconds):
                        yield found
        except (FileNotFoundError, NotADirectoryError):
            # Gone since its name was read.
            continue
        except OSError as error:
            yield Found(folder, NoticeCode.NOT_READABLE, error.strerror or "")


def _found(folder: Path, entry: "os.DirEntry[str]", unfinished_seconds: float) -> Found | None:
    path = folder / entry.name
    if entry.is_symlink():
        return Found(path, NoticeCode.LINK)
    if not entry.is_file(follow_symlinks=False):
        return Found(path, NoticeCode.SPECIAL_FILE)
    if is_candidate(entry.name):
        return Found(path)
    changed = entry.stat(follow_symlinks=False).st_ctime
    if is_partial(entry.name) and time.time() - changed > unfinished_seconds:
        return Found(path, NoticeCode.UNFINISHED)
    return None


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the inbox's business, as our own folder of claims."""
    return name.startswith(".") or name == CLAIMED


def is_partial(name: str) -> bool:
    """Whether a file's name says that it is still being written."""
    return os.path.splitext(name)[1].lower() in PARTIAL_SUFFIXES  # noqa: PTH122


def is_candidate(name: str) -> bool:
    """Whether a file of this name can be taken, or is hidden, a spare copy or being written."""
    return not is_hidden(name) and not name.endswith("~") and not is_partial(name)
