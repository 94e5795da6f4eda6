"""Garbage collection for processes that import much and keep it."""

import atexit
import gc
from typing import Final

#: New objects after which Python looks for garbage among them; of itself, 3.11 does so after 700.
NEW_OBJECTS: Final = 50_000


def collect_seldom() -> None:
    """Let Python look for garbage less often, from now on in this process, and not at its end.

    An import makes objects that stay: to look through them again and again is a fifth of the time
    in which a part starts. What refers to nothing of itself is freed at once, as ever. At the end
    Python would look through all of them once more, for nearly half as long as the start took.
    """
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    atexit.register(gc.freeze)
