"""A place for the broker's socket where the home's own path is too long for one, or has characters
that URLs or Valkey take for something else.

It is a folder of a random name beside other temporary ones, made for ReadFirst's user alone; the
home remembers it. A name that others can guess would let them lay a socket of their own there.
"""

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from readfirst.files.private_files import private_umask

#: A unix socket's path may have 107 bytes on Linux and 103 on macOS.
MAX_SOCKET_PATH = 100
#: Characters that neither URLs nor the settings of Valkey take for something else.
PLAIN_PATH = re.compile(r"[\w./+~-]+", re.ASCII)
#: File in the home that names the folder, and the socket's own name.
NOTE, SOCKET = Path("valkey") / "socket-folder", "valkey.sock"
#: Every system has it, where TMPDIR is too long too.
SHORT_TEMPORARY = "/tmp"  # noqa: S108 - only as the parent of a private folder


def broker_socket(home: Path) -> Path:
    """The socket of a home: in it, or in the folder that it remembers.

    Where there is no such folder yet, or somebody else could write into it, it is the one in the
    home, which nobody can connect to.
    """
    inside = home / "valkey" / SOCKET
    if is_usable(inside):
        return inside
    folder = _remembered(home)
    return inside if folder is None else folder / SOCKET


def make_broker_socket(home: Path) -> Path:
    """The socket of a home, with a folder made for it where it needs one. Raises OSError."""
    socket = broker_socket(home)
    if is_usable(socket):
        return socket
    folder = _new_folder()
    with private_umask():
        (home / NOTE).parent.mkdir(parents=True, exist_ok=True)
        unfinished = (home / NOTE).with_suffix(".part")
        unfinished.write_text(str(folder))
        unfinished.replace(home / NOTE)
    return folder / SOCKET


def is_usable(socket: Path) -> bool:
    """Return whether a socket may have this path."""
    return len(os.fsencode(socket)) <= MAX_SOCKET_PATH and is_plain(socket)


def is_plain(path: Path) -> bool:
    """Return whether a path has no character that URLs or Valkey take for something else."""
    return PLAIN_PATH.fullmatch(str(path)) is not None


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="readfirst-"))
    if not is_usable(folder / SOCKET):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="readfirst-", dir=SHORT_TEMPORARY))
    return folder


def _remembered(home: Path) -> Path | None:
    """The folder that the home remembers, if it is still there and nobody else's."""
    with suppress(OSError, ValueError):
        folder = Path((home / NOTE).read_text())
        status = folder.lstat()
        is_private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
        is_own = status.st_uid in (os.geteuid(), home.stat().st_uid)
        if is_private and is_own and is_usable(folder / SOCKET):
            return folder
    return None
