"""Limits of the process that reads files, kept by the kernel: memory and processor time."""

import ctypes
import math
import mmap
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

#: Python itself goes on with so much (bytes).
RESERVE = 1024**2
#: The kernel kills first what has the highest of these when the machine has no memory left.
FIRST_TO_BE_KILLED = b"1000"
#: Python 3.11 has no name for it.
MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0x40


class _AddressSpace:
    """The address space of this process. most: in bytes; None without a limit."""

    def __init__(self) -> None:
        self.most: int | None = None
        self._statm = -1

    def limit(self, size: int) -> None:
        """Let it grow by so much (bytes)."""
        # Opened now: later, it may be that nothing can be opened any more.
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self.most = self.used() + size
        resource.setrlimit(resource.RLIMIT_AS, (self.most, self.most))

    def used(self) -> int:
        """The bytes that it has now (Linux)."""
        pages = int(os.pread(self._statm, 100, 0).split()[0])
        return pages * resource.getpagesize()


ADDRESS_SPACE = _AddressSpace()


def limit_memory(megabytes: int) -> None:
    """Let this process grow by so much above what it holds now, and leave no core dump (Linux).

    Where the machine has no memory left, the kernel ends this process rather than a database.
    """
    ADDRESS_SPACE.limit(megabytes * 1024**2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(FIRST_TO_BE_KILLED)


def give_back_memory() -> None:
    """Give freed memory back to the kernel, where the C library can (glibc).

    A process that is forked from this one copies no pages that nobody needs any more.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def limit_time(seconds: float) -> None:
    """Let the kernel end this process by SIGXCPU after so much more processor time.

    A machine that is busy with other things takes none of it away.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = math.ceil(time.process_time() + seconds)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def lacks_memory() -> bool:
    """Tell whether the machine does not give this process what its limit would allow."""
    most = ADDRESS_SPACE.most
    return most is not None and not is_to_be_had(most - ADDRESS_SPACE.used() - RESERVE)


def is_to_be_had(size: int) -> bool:
    """Tell whether this process could have so much more memory (bytes). None of it is used.

    Where it could, a file that got none has wanted more than its limit; where it could not, it is
    the machine that lacks memory.
    """
    if size <= 0:
        return True
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    try:
        mmap.mmap(-1, size, flags=flags).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True
