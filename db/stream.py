"""Events as they come, for whoever follows: in the order of their numbers, and none left out.

PostgreSQL gives numbers out before transactions are committed, so a lower number may appear after
a higher one. So a follower stops before a number that is missing until nobody can bring it any
more: until every transaction that ran when it was missed has ended. On SQLite, where one
transaction writes at a time, none is ever missing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db.disclosures import OfStudy
from db.tables import Event, Image, Study

#: Events read at a time.
SLICE = 500
#: A new follower begins before what may still be missing of this time.
COMPLETE_AFTER = timedelta(minutes=1)
#: Transactions by their numbers: all below the first have ended, none from the second on has begun.
SNAPSHOT = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedEvent(OfStudy):
    """Something that happened, by its number."""

    id: int
    at: datetime
    action: str
    #: Why, as `live` or `rescore` (`db.lifecycle.events.Cause`); None for old events.
    cause: str | None
    study_instance_uid: str
    sha256: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Missing:
    """A number that is missing, and the transaction behind all that may bring it."""

    number: int
    until: int


class Follower:
    """Reads on from an event. after: its number; None begins with what happens from now on."""

    def __init__(self, after: int | None = None) -> None:
        self._after = after
        self._missing: Missing | None = None

    def read(self, session: Session, now: datetime) -> list[StreamedEvent]:
        """Return what is new since the last call, `SLICE` events at most."""
        if self._after is None:
            self._after = _beginning(session, now)
        events = _events_after(session, self._after)
        ready = self._ready(session, events)
        if ready:
            self._after = ready[-1].id
        return ready

    def _ready(self, session: Session, events: list[StreamedEvent]) -> list[StreamedEvent]:
        """The events up to the first number that may still come."""
        expected = (self._after or 0) + 1
        for index, event in enumerate(events):
            if event.id != expected and not self._never_comes(session, expected):
                return events[:index]
            expected = event.id + 1
        return events

    def _never_comes(self, session: Session, number: int) -> bool:
        if session.get_bind().dialect.name != "postgresql":
            return True
        oldest, newest = session.execute(SNAPSHOT).one()
        if self._missing is None or self._missing.number != number:
            self._missing = Missing(number, newest)
        return bool(oldest >= self._missing.until)


def _events_after(session: Session, after: int) -> list[StreamedEvent]:
    query = (
        select(Event, Study.study_instance_uid, Image.sha256)
        .join(Study, Event.study_id == Study.id)
        .outerjoin(Image, Event.image_id == Image.id)
        .where(Event.id > after)
        .order_by(Event.id)
        .limit(SLICE)
    )
    return [
        StreamedEvent(
            id=event.id,
            at=event.at,
            action=event.action,
            cause=event.cause,
            study_instance_uid=uid,
            sha256=sha256,
            detail=event.detail,
        )
        for event, uid, sha256 in session.execute(query)
    ]


def _beginning(session: Session, now: datetime) -> int:
    """The last event, or the one before a number that is missing among the latest."""
    last = session.scalar(select(func.max(Event.id))) or 0
    latest = session.execute(
        select(Event.id, Event.at).where(Event.id > last - SLICE).order_by(Event.id)
    ).all()
    for (number, _), (following, at) in pairwise(latest):
        if following != number + 1 and at > now - COMPLETE_AFTER:
            return int(number)
    return int(last)
