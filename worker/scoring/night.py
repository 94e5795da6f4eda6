"""The night: begun and ended by the sweep, and given to the workers slice by slice, newest first.

No more is made ready than the workers take at once, so that a night ends at its hour, keeps its
rate, and goes on after a kill where it was.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.ensembles.rescoring_progress import (
    free_again,
    left_to_score,
    newest_left,
    waiting_again,
)
from db.ensembles.versions import active_ensemble
from db.lifecycle.outbox import enqueue_night
from db.lifecycle.rescoring import make_ready_again, rank_again
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory, unit_of_work
from db.nights.running import (
    NewNight,
    begin_night,
    close_night,
    end_night,
    has_been,
    is_over,
    note_queued,
    reason_to_close,
    running_night,
)
from db.tables import EnsembleVersion, Image, Night
from readfirst.domain import ImageState
from readfirst.nights.pace import allowance
from readfirst.nights.reasons import NightEnd
from readfirst.nights.window import NightPlan, window_at
from readfirst.tasks.names import TaskName

log = structlog.get_logger()
#: Studies that are ranked in one transaction.
SLICE = 500


@dataclass(frozen=True, slots=True)
class NightServices:
    """The collaborators of a night. batch_size: most images that the networks see at once.

    mails: people are told of a night that scored anything.
    """

    units: UnitOfWorkFactory
    plan: NightPlan
    batch_size: int
    mails: bool = False


def keep_night(services: NightServices, now: datetime | None = None) -> None:
    """Begin the night whose window it is, end the one that is over, and wake a worker for it."""
    at = now or datetime.now(UTC)
    _end(services, at)
    _begin(services, at)
    with services.units.database.read() as session:
        night = running_night(session)
    if night is not None and night.closed_because is None:
        services.units.notifier.notify(TaskName.SCORE)


def feed_night(services: NightServices, now: datetime | None = None) -> bool:
    """Give the next images of the night that runs to the workers. False if none may be given now.

    Studies that the ensemble has scored already, as after a roll-back, rank by it before.
    """
    units, at = services.units, now or datetime.now(UTC)
    with units.database.read() as session:
        night, active = running_night(session), active_ensemble(session)
        if night is None or active is None:
            return False
        newest = newest_left(session, active, night.reached_image) or newest_left(session, active)
    if not night.ranked and reason_to_close(night, active.version, at) is None:
        return _rank_slice(units, active, at)
    with unit_of_work(units.database, units.policy, at=at) as unit:
        images = _queue_slice(unit, services.batch_size, newest)
    if ImageState.RECEIVED in images:
        units.notifier.notify(TaskName.PREPARE)
    return bool(images)


def _queue_slice(unit: UnitOfWork, batch_size: int, newest: int | None) -> list[ImageState]:
    """Give a slice to the workers: the states of its images. newest: of those that are left."""
    session = unit.session
    night, active = running_night(session, lock=True), active_ensemble(session)
    if night is None or active is None:
        return []
    reason = reason_to_close(night, active.version, unit.at)
    if reason is None and newest is None:
        reason = NightEnd.FINISHED
    if reason is not None or newest is None:
        close_night(night, reason or NightEnd.FINISHED)
        return []
    room = batch_size - free_again(session, batch_size)
    allowed = allowance(night.paced_until, unit.at, night.films_an_hour, room)
    if allowed.films == 0:
        return []
    ids = make_ready_again(unit, active, limit=allowed.films, before_id=newest + 1)
    if not ids:
        return []
    used = allowance(night.paced_until, unit.at, night.films_an_hour, len(ids))
    night.paced_until = used.paced_until
    note_queued(night, ids, unit.at)
    return list(session.scalars(select(Image.state).where(Image.id.in_(ids))))


def _rank_slice(units: UnitOfWorkFactory, active: EnsembleVersion, at: datetime) -> bool:
    """Rank studies that the ensemble has scored already, or note that all rank by it."""
    with units.begin(at) as unit:
        if not rank_again(unit, active, limit=SLICE):
            night = running_night(unit.session, lock=True)
            if night is not None:
                night.ranked = True
    return True


def _begin(services: NightServices, at: datetime) -> None:
    plan, units = services.plan, services.units
    window = window_at(plan, at)
    if window is None:
        return
    with units.database.read() as session:
        active = active_ensemble(session)
        if active is None or running_night(session) is not None:
            return
        if has_been(session, window.day, active.version):
            return
        new = NewNight(
            day=window.day,
            planned=True,
            ensemble_version=active.version,
            left=left_to_score(session, active),
            ends_by=window.ends,
            films_an_hour=plan.films_an_hour,
        )
    try:
        with units.database.write() as session:
            begin_night(session, new, at)
    except IntegrityError:
        # Another worker was quicker.
        return
    log.info("night_began", action="rescore", left=new.left, ensemble=new.ensemble_version)


def _end(services: NightServices, at: datetime) -> None:
    """Close a night whose time is over, and end it once the workers have done what it gave."""
    units = services.units
    with units.database.read() as session:
        night = running_night(session)
        if night is None or _reason_to_end(session, night, at) is None:
            return
        left = left_to_score(session, session.get_one(EnsembleVersion, night.ensemble_version))
    with units.database.write() as session:
        night = running_night(session, lock=True)
        reason = _reason_to_end(session, night, at) if night else None
        if night is None or reason is None:
            return
        close_night(night, reason)
        end_night(night, left, at)
        if services.mails and night.scored:
            enqueue_night(session, night.id, at)
    log.info(
        "night_ended",
        action="rescore",
        scored=night.scored,
        failed=night.failed,
        flagged=night.flagged,
        withdrawn=night.withdrawn,
        left=left,
        ensemble=night.ensemble_version,
        reason=night.closed_because,
    )


def _reason_to_end(session: Session, night: Night, at: datetime) -> NightEnd | None:
    """The reason why a night ends now; None if it goes on, or waits for what it gave."""
    active = active_ensemble(session)
    reason = reason_to_close(night, active.version if active else None, at)
    if reason is None or not is_over(night, waiting_again(session), at):
        return None
    return reason
