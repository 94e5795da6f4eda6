"""Numbers for monitors: how much waits, since when, and how long films take. No patient's data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from db.tables import Image, Score
from readfirst.domain import ImageState

#: The latest scores that are looked at for the time that films take; a window may hold more.
MOST_SCORES = 20_000


@dataclass(frozen=True, slots=True)
class ScoringTimes:
    """The times of films from arrival to their first score, in seconds, in order.

    by_ensemble: how many of them each ensemble version scored.
    """

    seconds: tuple[float, ...]
    by_ensemble: Mapping[str, int]

    def quantile(self, share: float) -> float | None:
        """The time within which this share of them was scored; None if there is none."""
        if not self.seconds:
            return None
        return self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def oldest_waiting(session: Session, now: datetime) -> dict[ImageState, float]:
    """The seconds for which the image that waits longest in each state has been here."""
    waiting = (ImageState.RECEIVED, ImageState.READY)
    query = (
        select(Image.state, func.min(Image.received_at))
        .where(Image.state.in_(waiting))
        .group_by(Image.state)
    )
    seconds = {state: (now - at).total_seconds() for state, at in session.execute(query).all()}
    return {state: seconds.get(state, 0.0) for state in waiting}


def times_to_score(
    session: Session, now: datetime, windows: Sequence[timedelta]
) -> dict[timedelta, ScoringTimes]:
    """The times of films whose first score is of each of these windows up to now."""
    earlier = aliased(Score)
    is_first = ~exists().where(earlier.image_id == Score.image_id, earlier.id < Score.id)
    query = (
        select(Score.scored_at, Image.received_at, Score.ensemble_version)
        .join(Image, Score.image_id == Image.id)
        .where(Score.scored_at > now - max(windows), is_first)
        .order_by(Score.scored_at.desc())
        .limit(MOST_SCORES)
    )
    rows = session.execute(query).all()
    times = {}
    for window in windows:
        of_window = [row for row in rows if row.scored_at > now - window]
        seconds = sorted((scored - arrived).total_seconds() for scored, arrived, _ in of_window)
        versions = Counter(version for *_, version in of_window)
        times[window] = ScoringTimes(tuple(seconds), dict(versions))
    return times
