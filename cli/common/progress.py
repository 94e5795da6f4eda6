"""Progress of long work, on stderr."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.progress import track

from cli.common.console import err, notice

T = TypeVar("T")
#: Seconds between two lines where stderr is no terminal, as in a log.
PAUSE = 60.0


def tracked(
    items: Iterable[T], what: str, total: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """Pass items on: at a terminal with a bar, elsewhere with a line now and then.

    clock: seconds, as `time.monotonic` gives them.
    """
    if err.is_terminal:
        yield from track(items, what, total=total, console=err, transient=True)
        return
    told_at = clock()
    for number, item in enumerate(items, start=1):
        yield item
        if clock() - told_at >= PAUSE:
            told_at = clock()
            notice(f"{what}: {number} of {total}")
