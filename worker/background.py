"""Threads that work beside everything else in a process, until it ends."""

import atexit
import threading
from collections.abc import Callable

#: Seconds that what is in work has to end once the process ends; the rest is taken up again later.
STOP_SECONDS = 10.0
#: Seconds between two looks for what is due.
TICK_SECONDS = 2.0


def start_in_background(name: str, run: Callable[[], None], stop: threading.Event) -> None:
    """Run in a thread of its own. stop: set when the process ends; then `run` returns soon."""
    thread = threading.Thread(target=run, name=name, daemon=True)

    def end() -> None:
        stop.set()
        thread.join(STOP_SECONDS)

    atexit.register(end)
    thread.start()
