"""The causes of an error: is one of them of the machine, and none of the file's doing."""

import errno
from collections.abc import Iterator

from ingest.reader.limits import lacks_memory

#: Errors of the operating system that no content of a file brings about.
OF_MACHINE = frozenset(
    {
        errno.EACCES,
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNRESET,
        errno.EDQUOT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENOENT,
        errno.ENOLCK,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.ENOTDIR,
        errno.ENXIO,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


def machine_cause(error: BaseException) -> OSError | MemoryError | None:
    """Find the fault of the machine behind an error; None if the file may be to blame.

    A decoder that was not given a file's bytes, or no memory, says that the file is broken.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in OF_MACHINE:
            return cause
        if isinstance(cause, MemoryError) and lacks_memory():
            return cause
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and all that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
