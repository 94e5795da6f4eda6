"""Work that goes on in a thread of its own until the process ends."""

import atexit
import threading
from collections.abc import Callable

#: Seconds that the work has to end once the process ends; what goes on is taken up again later.
STOP_SECONDS = 10.0


def run_until_exit(name: str, run: Callable[[threading.Event], object]) -> None:
    """Start a thread. run: ends soon after its event is set, which it is when the process ends."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)

    def end() -> None:
        stop.set()
        thread.join(STOP_SECONDS)

    atexit.register(end)
    thread.start()
