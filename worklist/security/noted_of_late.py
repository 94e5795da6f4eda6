"""Disclosures that were noted of late, so that a list that refreshes itself adds no lines.

Kept in memory: a server that starts anew, or a second one, notes once more, which is never wrong.
"""

import threading
import time
from collections.abc import Callable, Iterable

from db.access.audit import AuditAction

#: A session is noted again as having been shown a study after this time.
WINDOW_SECONDS = 3600.0
#: The most things that are remembered; beyond them all are forgotten, and noted again.
MOST = 200_000
#: An entry of these says as much as one of the key, or more.
SAID_BY = {
    AuditAction.THUMBNAIL_VIEWED: (
        AuditAction.LIST_VIEWED,
        AuditAction.STUDY_VIEWED,
        AuditAction.IMAGE_VIEWED,
    ),
    AuditAction.EVENTS_FOLLOWED: (AuditAction.LIST_VIEWED, AuditAction.STUDY_VIEWED),
}

#: Of whom: a session of an account from an address.
Viewer = tuple[str, ...]


class NotedOfLate:
    """Studies and searched texts, by the session to which they were shown."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[Viewer, AuditAction, str], float] = {}
        self._lock = threading.Lock()

    def new(self, viewer: Viewer, action: AuditAction, things: Iterable[str]) -> list[str]:
        """Return those that have to be noted."""
        now, actions = self._clock(), (action, *SAID_BY.get(action, ()))
        return [
            thing
            for thing in things
            if not any(self._until.get((viewer, each, thing), now) > now for each in actions)
        ]

    def add(self, viewer: Viewer, action: AuditAction, things: Iterable[str]) -> None:
        """Remember what has been noted: its transaction is committed."""
        now = self._clock()
        with self._lock:
            if len(self._until) > MOST:
                self._until = {key: until for key, until in self._until.items() if until > now}
            if len(self._until) > MOST:
                self._until = {}
            self._until |= {(viewer, action, thing): now + WINDOW_SECONDS for thing in things}
