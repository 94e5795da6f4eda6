"""The lock of the inbox: one ingester at a time watches it."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from ingest.inbox.confined_paths import private_folder
from ingest.inbox.file_names import CLAIMED
from readfirst.errors import Misconfigured

log = structlog.get_logger()
#: The errors of a file system that has no locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextmanager
def hold_inbox(inbox: Path) -> Iterator[None]:
    """Keep other ingesters away.

    Raises Misconfigured if one watches this inbox already, and OSError if the folder of claims is
    somebody else's, or if the inbox is not there or cannot be written to.
    """
    folder = private_folder(inbox, CLAIMED)
    lock_file = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(lock_file, "w") as lock:
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
