"""Waiting for what must come to hold: by looking again and again, never for a fixed time."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds for what takes a moment on an idle machine; a busy one may be many times slower.
TIMEOUT = 120.0
#: Seconds for a stack of processes that import everything and compile networks.
LONG_TIMEOUT = 300.0


def wait_until(
    holds: Callable[[], object],
    *,
    timeout: float = TIMEOUT,
    pause: float = 0.05,
    detail: Callable[[], object] = lambda: "it did not come to hold",
) -> None:
    """Look until something holds, and fail with the detail if it never does.

    pause: seconds between two looks. timeout: seconds after which nobody believes in it any more.
    """
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, detail()
        time.sleep(pause)


@contextmanager
def in_background(
    run: Callable[[], object], stop: Callable[[], object]
) -> Iterator[threading.Thread]:
    """Run something in a thread for the length of the block; it has ended when the block has.

    stop: asks it to end.
    """
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        stop()
        thread.join(TIMEOUT)
        assert not thread.is_alive(), "it was asked to stop and goes on"


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def stand_still(pid: int) -> None:
    """Stop a child of this process, and wait until it stands: only then it takes nothing more."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
