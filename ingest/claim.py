"""Taking a file out of the inbox so that nobody else can: one atomic rename."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from readfirst.errors import Misconfigured

#: Folder in the inbox that holds what is claimed: the same file system, so renames are atomic.
CLAIMED = ".readfirst"


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that this ingester holds.

    relative_path: where it lay in the inbox, as text that a database takes: bytes of a name that
    are not UTF-8 are replaced.
    """

    claim_id: str
    path: Path
    relative_path: Path


def claim(inbox: Path, path: Path) -> Claim | None:
    """Move a file of the inbox aside. None if it is gone, as when somebody else was first.

    Raises OSError, and the file stays, if the inbox does not let go of it: no permission, another
    file system, a path too long, a full disk.
    """
    relative_path = path.relative_to(inbox)
    claim_id = uuid4().hex
    aside = inbox / CLAIMED / claim_id / relative_path
    try:
        aside.parent.mkdir(parents=True)
        path.rename(aside)
    except OSError as error:
        _remove_empty(aside.parent, inbox / CLAIMED)
        if isinstance(error, FileNotFoundError):
            return None
        raise
    if not _is_regular(aside):
        # It was swapped for a link or a pipe since it was looked at; such things are left alone.
        aside.rename(path)
        _remove_empty(aside.parent, inbox / CLAIMED)
        return None
    return Claim(claim_id, aside, _as_text(relative_path))


def leftovers(inbox: Path) -> list[Claim]:
    """What a run that died had claimed and not let go of."""
    return [
        Claim(folder.name, path, _as_text(path.relative_to(folder)))
        for folder in sorted((inbox / CLAIMED).glob("*/"))
        for path in sorted(folder.rglob("*"))
        if _is_regular(path)
    ]


def release(claim: Claim) -> None:
    """Remove a claimed file, which is safe in the store, and the folders made for it."""
    claim.path.unlink(missing_ok=True)
    root = claim.path.parents[len(claim.relative_path.parts)]
    _remove_empty(claim.path.parent, root)


def give_back(inbox: Path, claim: Claim) -> None:
    """Put a file back where it lay, as when it cannot be read; the next scan finds it again.

    It stays claimed if another file has taken its place meanwhile.
    """
    # By its path, which holds the bytes of its name; `relative_path` may have replaced some.
    place = inbox / claim.path.relative_to(inbox / CLAIMED / claim.claim_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        claim.path.rename(place)
        release(claim)


@contextmanager
def hold_inbox(inbox: Path) -> Iterator[None]:
    """Keep other ingesters away. Raises Misconfigured if one watches this inbox already."""
    (inbox / CLAIMED).mkdir(parents=True, exist_ok=True)
    with (inbox / CLAIMED / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(f"Another ingester watches {inbox}.") from error
        yield


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _as_text(path: Path) -> Path:
    return Path(os.fsencode(path).decode(errors="replace"))


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove folders from here up to the root, which stays, as long as they are empty."""
    while folder != root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent
