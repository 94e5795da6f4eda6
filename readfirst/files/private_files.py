"""Files that nobody but ReadFirst's own user may read: the umask of each process, and the home.

Only files that are made for others, as an original that is written out, get the rights that the
user's own umask says.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: No rights for the group and for others.
PRIVATE_UMASK = 0o077
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
#: A folder that others may go through, to one in it that they know, and may not list.
TRAVERSABLE_FOLDER = 0o711


class _Umask:
    """The umask with which this process was started; None before `keep_private`."""

    users_own: int | None = None


@dataclass(frozen=True, slots=True)
class OpenPath:
    """A file or folder with more rights than it should have. wanted: its mode without them."""

    path: Path
    mode: int
    wanted: int


def keep_private() -> None:
    """Let all that this process and its children make from now on be for its own user only."""
    before = os.umask(PRIVATE_UMASK)
    if _Umask.users_own is None:
        _Umask.users_own = before


@contextmanager
def private_umask() -> Iterator[None]:
    """Keep private what is made in the block, whoever runs it."""
    before = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def users_umask() -> Iterator[None]:
    """Make files for others in the block: with the rights that the user's own umask says."""
    if _Umask.users_own is None:
        yield
        return
    before = os.umask(_Umask.users_own)
    try:
        yield
    finally:
        os.umask(before)


def open_paths(home: Path, inbox: Path) -> Iterator[OpenPath]:
    """The home folder and all in it that the group or others may read, write or go into.

    The inbox is the site's own and is left out. Where it lies in the home folder and is shared with
    others, they may go through the folders above it, without seeing what is in them. Links are not
    followed.
    """
    traversed = _traversed_folders(home, inbox)
    yield from _opened(home, traversed)
    for folder, names, files in os.walk(home):
        parent = Path(folder)
        names[:] = [name for name in names if parent / name != inbox]
        for name in (*names, *files):
            yield from _opened(parent / name, traversed)


def open_alone(path: Path) -> Iterator[OpenPath]:
    """The same of one path, which may not be there, and of nothing in it."""
    yield from _opened(path, frozenset())


def home_is_open(home: Path, inbox: Path) -> bool:
    """Return whether other users of this machine may look into the home folder."""
    return any(_opened(home, _traversed_folders(home, inbox)))


def take_rights_away(path: OpenPath) -> None:
    """Take the rights away that are too many. Raises OSError."""
    path.path.chmod(path.wanted)


def _opened(path: Path, traversed: frozenset[Path]) -> Iterator[OpenPath]:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(status.st_mode)
    allowed = TRAVERSABLE_FOLDER if path in traversed else PRIVATE_FOLDER
    is_link = stat.S_ISLNK(status.st_mode)
    if mode & PRIVATE_UMASK & ~allowed and not is_link:
        yield OpenPath(path, mode, mode & (allowed | stat.S_ISUID | stat.S_ISVTX))


def _traversed_folders(home: Path, inbox: Path) -> frozenset[Path]:
    """The folders from the home to an inbox in it, if others may write into that."""
    try:
        is_shared = inbox.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    except OSError:
        return frozenset()
    between = (folder for folder in inbox.parents if folder == home or home in folder.parents)
    return frozenset(between) if is_shared else frozenset()
