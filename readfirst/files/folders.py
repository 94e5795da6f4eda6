"""Folders of a site: made where they are missing, and one sentence for each that cannot be used."""

import os
from collections.abc import Iterator
from pathlib import Path

from readfirst.errors import Misconfigured
from readfirst.files.private_files import private_umask, users_umask
from readfirst.printable import one_line


def folder_fault(folder: Path) -> str | None:
    """Say why files cannot be read and written in a folder; None if they can."""
    name = one_line(str(folder))
    try:
        if not folder.is_dir():
            return f"{name} is no folder." if folder.exists() else f"{name} is not there."
    except OSError as error:
        return f"{name} cannot be used: {error.strerror}."
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"{name} cannot be read by this account."
    # Also of a disk that is mounted for reading only.
    return None if os.access(folder, os.W_OK) else f"{name} cannot be written to by this account."


def make_folder(folder: Path) -> str | None:
    """Make a folder if it is missing, and say why it cannot be used; None if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return folder_fault(folder)
    except OSError as error:
        return f"{one_line(str(folder))} cannot be made: {error.strerror}."
    return folder_fault(folder)


def make_private_folder(folder: Path) -> str | None:
    """The same, for ReadFirst's own user only where it is made now."""
    with private_umask():
        return make_folder(folder)


def make_inbox(home: Path, inbox: Path) -> str | None:
    """The same of the inbox. Outside of the home folder it is made for others too, with the rights
    that the user's own umask says.
    """
    with private_umask() if home in inbox.parents else users_umask():
        return make_folder(inbox)


def make_home(home: Path, *, to_write: bool = True) -> None:
    """Make the home folder. Raises Misconfigured where it cannot be used.

    to_write: whether something is kept in it; else it may be mounted for reading only.
    """
    fault = make_private_folder(home)
    if fault and (to_write or not home.is_dir()):
        raise Misconfigured(f"READFIRST_HOME: {fault} Make it usable, or choose another folder.")


def files_within(folder: Path) -> Iterator[Path]:
    """List the files of a folder and of all folders in it, and whatever else is no folder.

    Links to folders are not followed. A folder that vanishes meanwhile has no files; `Path.rglob`
    of Python 3.11 raises FileNotFoundError there.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)


def os_fault(error: OSError) -> str:
    """Say what the operating system did not let be done, and with which file."""
    reason = error.strerror or type(error).__name__
    return f"{one_line(os.fsdecode(error.filename))}: {reason}." if error.filename else f"{reason}."
