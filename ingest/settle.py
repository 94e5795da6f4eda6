"""When is a file all there? A pure rule over what was seen of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file's size and modification time, and since when they are the same (seconds)."""

    size: int
    mtime_ns: int
    quiet_since: float


def see(before: Sighting | None, size: int, mtime_ns: int, now: float) -> Sighting:
    """What is known of a file after one more look at it."""
    if before is not None and (before.size, before.mtime_ns) == (size, mtime_ns):
        return before
    return Sighting(size, mtime_ns, now)


def is_quiet(sighting: Sighting, now: float, seconds: float) -> bool:
    """Whether nothing has changed for so long."""
    return now - sighting.quiet_since >= seconds
