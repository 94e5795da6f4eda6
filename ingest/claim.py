"""Taking a file out of the inbox so that nobody else can: one atomic rename."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unicodedata import category
from uuid import uuid4

import structlog

from readfirst.errors import Misconfigured

log = structlog.get_logger()
#: What a file system says that has no locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
#: Folder in the inbox that holds what is claimed: the same file system, so renames are atomic.
CLAIMED = ".readfirst"


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
    aside = inbox / CLAIMED / claim_id / relative_path
    try:
        # Not with parents: an inbox that has vanished, as an unmounted one, is not made anew.
        (inbox / CLAIMED).mkdir(exist_ok=True)
        aside.parent.mkdir(parents=True)
        path.rename(aside)
    except RecursionError as error:
        # pathlib makes the folders above by recursion.
        raise OSError(errno.ENAMETOOLONG, "More folders inside each other than can be") from error
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
    return Claim(claim_id, aside, as_text(relative_path), inbox / CLAIMED)


def leftovers(inbox: Path) -> list[Claim]:
    """What a run that died had claimed and not let go of."""
    return [
        Claim(folder.name, path, as_text(path.relative_to(folder)), inbox / CLAIMED)
        for folder in sorted((inbox / CLAIMED).glob("*/"))
        for path in sorted(folder.rglob("*"))
        if _is_regular(path)
    ]


def release(claim: Claim) -> None:
    """Remove a claimed file, which is safe in the store, and the folders made for it."""
    claim.path.unlink(missing_ok=True)
    _remove_empty(claim.path.parent, claim.root)


def give_back(inbox: Path, claim: Claim) -> None:
    """Put a file back where it lay, as when it cannot be read; the next scan finds it again.

    It stays claimed if another file has taken its place meanwhile, or if the inbox is gone.
    """
    # By its path, which holds the bytes of its name; `relative_path` may have replaced some.
    place = inbox / claim.path.relative_to(inbox / CLAIMED / claim.claim_id)
    if place.exists() or not claim.path.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    claim.path.rename(place)
    release(claim)


@contextmanager
def hold_inbox(inbox: Path) -> Iterator[None]:
    """Keep other ingesters away. Raises Misconfigured if one watches this inbox already, and
    OSError if the inbox is not there or cannot be written to.
    """
    (inbox / CLAIMED).mkdir(exist_ok=True)
    with (inbox / CLAIMED / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(f"Another ingester watches {inbox}.") from error
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            # Some network file systems know no locks. Two ingesters would still never take the
            # same file; only what one of them has claimed could be taken up by the other.
            log.warning("inbox_not_locked", action="claim", error=error.strerror)
        yield


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def as_text(path: Path) -> Path:
    """A path as text: what is not UTF-8, controls, or turns the text around is replaced."""
    text = os.fsencode(path).decode(errors="replace")
    return Path("".join("\ufffd" if _misleads(char) else char for char in text))


def _misleads(char: str) -> bool:
    # Unicode Standard Annex 9: LRE, RLE, PDF, LRO, RLO and the isolates make `gpj.exe` look else.
    return category(char) == "Cc" or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"


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
