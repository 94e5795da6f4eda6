"""Who has which study open, for streams: read once for all of them, and told as it changes."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.disclosures import OfStudy
from db.worklist.readers import StudyReader, open_pages_by_study, readers_of

#: The reader of each page that is open, by Study Instance UID.
ByStudy = Mapping[str, tuple[StudyReader, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersChanged(OfStudy):
    """The people who have a study open now; the first of them reads it."""

    study_instance_uid: str
    readers: tuple[StudyReader, ...]


class CurrentReaders:
    """The open pages of all studies, read anew once they are older than some seconds."""

    def __init__(
        self, longest_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._by_study: ByStudy = {}
        self._until = clock()

    def read(self, session: Session, now: datetime) -> ByStudy:
        """Return them, by Study Instance UID."""
        with self._lock:
            if self._clock() >= self._until:
                self._by_study = open_pages_by_study(session, now)
                self._until = self._clock() + self._longest_seconds
            return self._by_study


class ReadersFollower:
    """The open pages of studies as a stream has seen them last."""

    def __init__(self) -> None:
        self._known: ByStudy | None = None

    def changes(self, by_study: ByStudy) -> list[ReadersChanged]:
        """Return the studies whose open pages are others than at the last call; none at the first.

        Also where only one of several pages of a reader was opened or left: without accounts
        nobody else is known.
        """
        known, self._known = self._known, by_study
        if known is None or known is by_study:
            return []
        return [
            ReadersChanged(study_instance_uid=uid, readers=readers_of(by_study.get(uid, ())))
            for uid in known.keys() | by_study.keys()
            if known.get(uid) != by_study.get(uid)
        ]
