"""The scan of the whole inbox: which files may be taken, which never can be, and why."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.inbox.file_names import is_candidate, is_hidden, is_partial
from readfirst.inbox_issues import InboxIssueCode

#: Nobody writes into a file for so long and then goes on (seconds).
UNFINISHED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """An entry of the inbox. code: why it cannot be taken; None for a file that can."""

    path: Path
    code: InboxIssueCode | None = None
    detail: str = ""


def scan(inbox: Path, unfinished_seconds: float = UNFINISHED_SECONDS) -> Iterator[InboxEntry]:
    """Find every file of the inbox and its folders that may be taken, and what never can be.

    Nothing is opened but folders, and no link is followed. Hidden files and folders are left out.
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
                    elif inbox_entry := _inbox_entry(folder, entry, unfinished_seconds):
                        yield inbox_entry
        except (FileNotFoundError, NotADirectoryError):
            # Gone since its name was read.
            continue
        except OSError as error:
            yield InboxEntry(folder, InboxIssueCode.NOT_READABLE, error.strerror or "")


def _inbox_entry(
    folder: Path, entry: "os.DirEntry[str]", unfinished_seconds: float
) -> InboxEntry | None:
    path = folder / entry.name
    if entry.is_symlink():
        return InboxEntry(path, InboxIssueCode.LINK)
    if not entry.is_file(follow_symlinks=False):
        return InboxEntry(path, InboxIssueCode.SPECIAL_FILE)
    if is_candidate(entry.name):
        return InboxEntry(path)
    changed = entry.stat(follow_symlinks=False).st_ctime
    if is_partial(entry.name) and time.time() - changed > unfinished_seconds:
        return InboxEntry(path, InboxIssueCode.UNFINISHED)
    return None
