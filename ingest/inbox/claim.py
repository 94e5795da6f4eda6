"""Taking a file out of the inbox so that nobody else can: one atomic rename."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ingest.inbox.confined_paths import is_regular, move, private_folder
from ingest.inbox.file_names import CLAIMED, as_text
from ingest.inbox.folders import remove_empty
from readfirst.files.folders import files_within

#: limits.h of Linux; macOS takes fewer, and says so itself.
PATH_MAX = 4096
#: Python 3.11 walks folders by recursion.
MOST_FOLDERS = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that this ingester holds.

    relative_path: where it lay in the inbox, as text that a database and a terminal take. root: the
    folder that stays when the file and the folders made for it are removed.
    """

    claim_id: str
    path: Path
    relative_path: Path
    root: Path


def claim(inbox: Path, path: Path) -> Claim | None:
    """Move a file of the inbox aside. None if it is gone, as when somebody else was first.

    Raises OSError, and the file stays, if the inbox does not let go of it: no permission, another
    file system, a path too long, a full disk.
    """
    relative_path = path.relative_to(inbox)
    claim_id = uuid4().hex
    claimed_path = inbox / CLAIMED / claim_id / relative_path
    try:
        _check_place(claimed_path)
        # An inbox that has vanished, as an unmounted one, is not made anew.
        private_folder(inbox, CLAIMED)
        move(inbox, relative_path, claimed_path.relative_to(inbox))
    except OSError as error:
        remove_empty(claimed_path.parent, inbox / CLAIMED)
        # A folder on the way that became a link is gone as far as the inbox goes.
        if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno == errno.ELOOP:
            return None
        raise
    if not is_regular(inbox, claimed_path.relative_to(inbox)):
        # It was swapped for a link or a pipe since it was looked at; such things are left alone.
        move(inbox, claimed_path.relative_to(inbox), relative_path)
        remove_empty(claimed_path.parent, inbox / CLAIMED)
        return None
    return Claim(claim_id, claimed_path, as_text(relative_path), inbox / CLAIMED)


def _check_place(path: Path) -> None:
    """Raise OSError for a path that cannot be opened as a whole, or is too deep to be walked."""
    if len(path.parts) > MOST_FOLDERS:
        raise OSError(errno.ENAMETOOLONG, "More folders inside each other than are taken")
    if len(os.fsencode(path)) >= PATH_MAX:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def leftovers(inbox: Path) -> list[Claim]:
    """List the claims that a run which died had made and not released.

    Raises PermissionError if the folder of claims is somebody else's.
    """
    if not (inbox / CLAIMED).exists():
        return []
    private_folder(inbox, CLAIMED)
    return [
        Claim(folder.name, path, as_text(path.relative_to(folder)), inbox / CLAIMED)
        for folder in sorted((inbox / CLAIMED).glob("*/"))
        if not folder.is_symlink()
        for path in sorted(files_within(folder))
        if is_regular(inbox, path.relative_to(inbox))
    ]
