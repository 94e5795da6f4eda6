"""Flagged studies that another system is told of: written with the score, delivered later.

A row is written in the transaction that flags the study, so none is lost and none is invented. It
is delivered at least once; its key lets the receiver know a repetition.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from db.tables import Announcement, Ensemble, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An announcement that this worker is to deliver now."""

    id: int
    key: str
    study_instance_uid: str
    ensemble_version: str
    probability: float
    #: Share of pneumonia that the probability presupposes; None if nobody knows.
    presupposed: float | None
    received_at: datetime
    flagged_at: datetime
    #: Failed ones before this.
    attempts: int


def announce(session: Session, study: Study, at: datetime) -> None:
    """Let it be told that a study is flagged, as it stands now."""
    session.add(
        Announcement(
            key=uuid4().hex,
            study_id=study.id,
            ensemble_version=study.ensemble_version,
            probability=study.probability,
            flagged_at=at,
            next_attempt_at=at,
        )
    )


def claim_due(session: Session, now: datetime, lease: timedelta) -> Due | None:
    """Take the oldest announcement whose time has come; it is nobody else's during the lease."""
    query = (
        select(Announcement)
        .where(_waiting(), Announcement.next_attempt_at <= now)
        .order_by(Announcement.next_attempt_at, Announcement.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query)
    if row is None:
        return None
    row.next_attempt_at = now + lease
    study = session.get_one(Study, row.study_id)
    ensemble = session.get_one(Ensemble, row.ensemble_version)
    return Due(
        id=row.id,
        key=row.key,
        study_instance_uid=study.study_instance_uid,
        ensemble_version=row.ensemble_version,
        probability=row.probability,
        presupposed=ensemble.prevalence,
        received_at=study.received_at,
        flagged_at=row.flagged_at,
        attempts=row.attempts,
    )


def delivered(session: Session, due: Due, at: datetime) -> None:
    """The receiver has it."""
    row = session.get_one(Announcement, due.id, with_for_update=True)
    row.attempts, row.delivered_at, row.last_error = row.attempts + 1, at, None


def not_delivered(
    session: Session, due: Due, error: str, *, again_at: datetime | None, at: datetime
) -> None:
    """It was not taken. again_at: when to try again; None gives it up for good."""
    row = session.get_one(Announcement, due.id, with_for_update=True)
    row.attempts, row.last_error = row.attempts + 1, error
    if again_at is None:
        row.given_up_at = at
    else:
        row.next_attempt_at = again_at


def hold_back(session: Session, until: datetime) -> None:
    """Try no other before then: the receiver itself does not answer."""
    session.execute(
        update(Announcement)
        .where(_waiting(), Announcement.next_attempt_at < until)
        .values(next_attempt_at=until)
    )


def is_any_due(session: Session, now: datetime) -> bool:
    """Whether there is something to deliver."""
    query = select(Announcement.id).where(_waiting(), Announcement.next_attempt_at <= now)
    return session.scalar(query.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class AnnouncementCounts:
    """How many wait, and since when the oldest of them; how many were given up."""

    waiting: int
    oldest: datetime | None
    given_up: int


def announcement_counts(session: Session) -> AnnouncementCounts:
    """How delivery gets on."""
    waiting = select(func.count(), func.min(Announcement.flagged_at)).where(_waiting())
    number, oldest = session.execute(waiting).one()
    given_up = select(func.count()).where(Announcement.given_up_at.is_not(None))
    return AnnouncementCounts(number, oldest, session.scalar(given_up) or 0)


def _waiting() -> ColumnElement[bool]:
    """Neither delivered nor given up."""
    return Announcement.delivered_at.is_(None) & Announcement.given_up_at.is_(None)
