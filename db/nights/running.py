"""The night that runs: begun, bounded, closed and ended. The caller owns the transaction.

A night is *closed* when it gives no more to the workers, and *ended* when they have done what it
gave.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Night
from readfirst.nights.reasons import NightEnd

#: After it was closed, a night waits no longer than this for work that does not get on.
LONGEST_WAIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNight:
    """A night that begins. planned: by the site's hour. left: images that are to be scored."""

    day: date
    planned: bool
    ensemble_version: str
    left: int
    ends_by: datetime | None = None
    films_an_hour: int | None = None


def running_night(session: Session, *, lock: bool = False) -> Night | None:
    """The night that runs; at most one does. lock: no other worker may change it meanwhile."""
    query = select(Night).where(Night.running)
    return session.scalar(query.with_for_update(key_share=True) if lock else query)


def begin_night(session: Session, new: NewNight, at: datetime) -> Night:
    """Begin a night, from the newest film on that is left.

    Raises IntegrityError where another worker begins it at this moment, or has begun one.
    """
    night = Night(
        day=new.day,
        planned=new.planned,
        ensemble_version=new.ensemble_version,
        started_at=at,
        ends_by=new.ends_by,
        films_an_hour=new.films_an_hour,
        paced_until=at,
        moved_at=at,
        left_before=new.left,
    )
    session.add(night)
    session.flush()
    return night


def has_been(session: Session, day: date, ensemble_version: str) -> bool:
    """Tell whether the planned night of a day has begun already for an ensemble."""
    query = select(Night.id).where(
        Night.planned, Night.day == day, Night.ensemble_version == ensemble_version
    )
    return session.scalar(query) is not None


def unbind(night: Night) -> None:
    """Let a night go on until nothing is left, as fast as it can: a person wants it now."""
    night.ends_by = night.films_an_hour = None


def reason_to_close(night: Night, active_version: str | None, at: datetime) -> NightEnd | None:
    """The reason why a night may give no more to the workers; None while it may."""
    if night.closed_because is not None:
        return night.closed_because
    if night.ensemble_version != active_version:
        return NightEnd.REPLACED
    if night.ends_by is not None and at >= night.ends_by:
        return NightEnd.WINDOW
    return None


def close_night(night: Night, reason: NightEnd) -> None:
    """Give no more to the workers. The first reason stands."""
    night.closed_because = night.closed_because or reason


def is_over(night: Night, waiting: int, at: datetime) -> bool:
    """Tell whether a night that gives no more ends now. waiting: images that are still in work."""
    since = max(night.moved_at, min(night.ends_by or night.moved_at, at))
    return waiting == 0 or at - since > LONGEST_WAIT


def end_night(night: Night, left: int, at: datetime) -> None:
    """End a night. left: images that are still to be scored."""
    night.running, night.ended_at, night.left_after = False, at, left


def note_queued(night: Night, image_ids: list[int], at: datetime) -> None:
    """Note the images that were given to the workers, the newest first."""
    night.queued += len(image_ids)
    night.reached_image, night.moved_at = min(image_ids), at
