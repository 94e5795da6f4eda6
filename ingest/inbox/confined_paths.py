"""Paths in a folder that others write to: no link is followed, however it is swapped meanwhile.

Every folder on the way is opened from the one above it, so what was looked at is what is used.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from readfirst.files.private_files import PRIVATE_FOLDER

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def opened_folder(root: Path, relative: Path, *, make: int | None = None) -> Iterator[int]:
    """Open a folder below the root; its descriptor for `dir_fd`.

    make: the rights of folders that are missing, which are made; None: none is made. Raises
    OSError, also if one on the way is a link.
    """
    descriptor = os.open(root, FOLDER)
    try:
        for name in relative.parts:
            is_made = make is not None and _made(name, descriptor)
            below = os.open(name, FOLDER, dir_fd=descriptor)
            if make is not None and is_made:
                # Whatever the umask is.
                os.fchmod(below, make)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def move(root: Path, source: Path, target: Path, *, as_open: bool = False) -> None:
    """Rename a file below the root, to folders that are made. source, target: relative to it.

    as_open: those folders get the rights of the root, so that who may drop files into that may do
    so in them; else they are for ourselves alone. Raises OSError, also if a folder on either way is
    a link.
    """
    rights = stat.S_IMODE(root.stat().st_mode) if as_open else PRIVATE_FOLDER
    with (
        opened_folder(root, source.parent) as from_folder,
        opened_folder(root, target.parent, make=rights) as to_folder,
    ):
        os.rename(source.name, target.name, src_dir_fd=from_folder, dst_dir_fd=to_folder)


def _made(name: str, folder: int) -> bool:
    """Make a folder in an open one. False if it is there."""
    try:
        os.mkdir(name, mode=PRIVATE_FOLDER, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def is_regular(root: Path, relative: Path) -> bool:
    """Return whether this is a file, and neither a link nor a pipe or the like."""
    try:
        with opened_folder(root, relative.parent) as folder:
            status = os.stat(relative.name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode)


def open_regular(path: Path) -> int:
    """Open a file for reading; its descriptor. Raises OSError if it is a link, pipe or the like."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "This is not a file", str(path))
    return descriptor


def private_folder(root: Path, name: str) -> Path:
    """Make a folder of our own in one that others write to, or check that it is ours.

    Raises OSError if it cannot be made, or PermissionError if somebody else made it: what is in it
    could be swapped under our hands.
    """
    path = root / name
    with suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER)
        return path
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise PermissionError(errno.EPERM, f"{name} in the inbox is not a folder; remove it")
    if status.st_uid not in (os.geteuid(), _owner_of_new(root)):
        raise PermissionError(
            errno.EPERM,
            f"{name} in the inbox belongs to another user, who could swap the files in it; "
            "remove it, or give it to the user that runs ReadFirst",
        )
    if status.st_mode & 0o077:
        # Made by an earlier release. Some network file systems know no modes.
        with suppress(OSError):
            path.chmod(PRIVATE_FOLDER)
    return path


def _owner_of_new(root: Path) -> int:
    """The owner that the file system gives to what we make: on a share it may be another one."""
    probe = root / f".{uuid4().hex}"
    probe.mkdir(mode=PRIVATE_FOLDER)
    try:
        return probe.lstat().st_uid
    finally:
        probe.rmdir()
