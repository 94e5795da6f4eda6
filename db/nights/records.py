"""Nights as rows for people and programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Night
from readfirst.nights.reasons import NightEnd

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRecord:
    """A night. day: on which it began, by the site's clocks. planned: by the site's hour.

    scored, failed: images; failed ones are not scored for a stated reason. flagged, withdrawn:
    studies whose flag is another one than before. left: images that the ensemble has still to
    score. films_an_hour: as measured; null while nothing is measured. bound: the site's own.
    end_reason: null while it gives more to the workers.
    """

    number: int
    day: date
    ensemble: str
    started_at: datetime
    ended_at: datetime | None
    planned: bool
    running: bool
    scored: int
    failed: int
    flagged: int
    withdrawn: int
    left: int
    films_an_hour: float | None
    bound: int | None
    ends_by: datetime | None
    end_reason: NightEnd | None


def nights(session: Session, limit: int, day: date | None = None) -> list[NightRecord]:
    """The latest nights, the last one first. day: only those that began on it."""
    query = select(Night).order_by(Night.id.desc()).limit(limit)
    if day is not None:
        query = query.where(Night.day == day)
    return [_record(row) for row in session.scalars(query)]


def find_night(session: Session, number: int) -> NightRecord | None:
    """The night of this number; None if there is none."""
    row = session.get(Night, number)
    return None if row is None else _record(row)


def latest_of(session: Session, ensemble_version: str) -> NightRecord | None:
    """The latest night of an ensemble that scored anything."""
    query = select(Night).where(Night.ensemble_version == ensemble_version, Night.scored > 0)
    row = session.scalar(query.order_by(Night.id.desc()).limit(1))
    return None if row is None else _record(row)


def measured_rate(rows: Sequence[NightRecord]) -> float | None:
    """The rate of the first of these nights that has one, in films an hour."""
    return next((row.films_an_hour for row in rows if row.films_an_hour is not None), None)


def _record(row: Night) -> NightRecord:
    done = row.scored + row.failed
    hours = (row.moved_at - row.started_at) / AN_HOUR
    left = max(0, row.left_before - done) if row.left_after is None else row.left_after
    return NightRecord(
        number=row.id,
        day=row.day,
        ensemble=row.ensemble_version,
        started_at=row.started_at,
        ended_at=row.ended_at,
        planned=row.planned,
        running=row.running,
        scored=row.scored,
        failed=row.failed,
        flagged=row.flagged,
        withdrawn=row.withdrawn,
        left=left,
        films_an_hour=done / hours if done and hours > 0 else None,
        bound=row.films_an_hour,
        ends_by=row.ends_by,
        end_reason=row.closed_because,
    )
