"""Images for ensembles in shadow: claimed for a while, and given back or given up.

Nothing is claimed while a film waits for the active ensemble, be it new or scored again, nor in a
night that is not through.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, selectinload

from db.ensembles.shadows import queue_earlier, shadow_ensembles
from db.lifecycle import lease
from db.lifecycle.image import WAITING, age_and_view
from db.lifecycle.lease import Lease
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.work import WORKER_DIED
from db.tables import EnsembleVersion, Image, Night, ShadowImage
from readfirst.domain import AgeAndView, ImageState

#: An ensemble in shadow that cannot be loaded, or that fails, is tried again after so long.
PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ClaimedShadow:
    """An image that this worker holds for an ensemble in shadow. film: decides its population."""

    lease: Lease
    image_id: int
    sha256: str
    film: AgeAndView = field(default_factory=AgeAndView)


def film_waits(session: Session, now: datetime) -> bool:
    """Tell whether a film waits for the active ensemble, or is in its work at this moment.

    One that failed, and is tried again later, is waited for by nobody.
    """
    is_meant = or_(Image.lease_token.is_not(None), lease.is_free(Image, now))
    waits = select(Image.id).where(Image.state.in_(WAITING), is_meant)
    return session.scalar(waits.limit(1)) is not None


def night_goes_on(session: Session) -> bool:
    """Tell whether a night still gives films to the active ensemble, be it now or at its rate."""
    goes_on = select(Night.id).where(Night.running, Night.closed_because.is_(None))
    return session.scalar(goes_on.limit(1)) is not None


def queue_next(unit: UnitOfWork) -> bool:
    """Queue a slice of earlier films for an ensemble that has nothing to do. False if none is left.

    A slice may hold nothing new for it, as after a shadow that was ended and begun again.
    """
    for ensemble in _working(unit.session, unit.at):
        if ensemble.shadow_queues_below is not None and not _has_work(unit, ensemble):
            queue_earlier(unit.session, ensemble.version, unit.at)
            return True
    return False


def next_shadow(unit: UnitOfWork, loaded: str | None) -> EnsembleVersion | None:
    """The ensemble in shadow that has work now; None if none has.

    loaded: the version whose networks are loaded. It goes on while anything waits for it; networks
    are loaded only for work that is due.
    """
    shadows = _working(unit.session, unit.at)
    for ensemble in sorted(shadows, key=lambda each: each.version != loaded):
        due = None if ensemble.version == loaded else unit.at
        if _has_work(unit, ensemble, due):
            return ensemble
    return None


def is_any_due(session: Session, now: datetime) -> bool:
    """Tell whether workers are to be told that there is work in shadow."""
    versions = _working(session, now)
    if any(each.shadow_queues_below is not None for each in versions):
        return True
    due = select(ShadowImage.id).where(
        ShadowImage.ensemble_version.in_([each.version for each in versions]),
        ShadowImage.given_up_at.is_(None),
        ShadowImage.due_at <= now,
        lease.is_free(ShadowImage, now),
    )
    return session.scalar(due.limit(1)) is not None


def claim_shadow(unit: UnitOfWork, ensemble: EnsembleVersion, limit: int) -> list[ClaimedShadow]:
    """Take up to `limit` images, the newest first. One whose attempt failed is taken alone."""
    query = _claimable(unit, ensemble).order_by(ShadowImage.image_id.desc()).limit(limit)
    free = query.with_for_update(of=ShadowImage, skip_locked=True)
    rows = unit.session.execute(free).all()
    if rows and _is_suspect(rows[0][0]):
        rows = rows[:1]
    else:
        rows = [row for row in rows if not _is_suspect(row[0])]
    leases = lease.take([row for row, _ in rows], unit.at, unit.policy.lease)
    return [
        ClaimedShadow(each, image.id, image.sha256, age_and_view(image))
        for each, (_, image) in zip(leases, rows, strict=True)
    ]


def give_way(unit: UnitOfWork, claimed: Sequence[ClaimedShadow]) -> None:
    """Let images wait as before; this was no attempt."""
    for row in _leased_rows(unit, claimed):
        lease.give_way(row)


def attempt_failed(unit: UnitOfWork, claimed: Sequence[ClaimedShadow], error: str) -> None:
    """Let images be tried again later, each alone; one that failed alone counts a failure."""
    rows = _leased_rows(unit, claimed)
    for row in rows:
        if len(claimed) == 1:
            lease.fail(row)
        if lease.is_last_attempt(row, unit.policy.lease):
            _give_up(row, unit.at, error)
        else:
            lease.pause(row, unit.at, unit.policy.lease)


def attempt_excused(unit: UnitOfWork, claimed: Sequence[ClaimedShadow]) -> None:
    """Let images wait, however often: it was a fault of the machine or of the networks."""
    for row in _leased_rows(unit, claimed):
        lease.excuse(row, unit.at, unit.policy.lease)


def refuse_shadow(unit: UnitOfWork, claimed: ClaimedShadow, reason: str) -> None:
    """Never try an image again. reason: a sentence."""
    for row in _leased_rows(unit, [claimed]):
        _give_up(row, unit.at, reason)


def pause_shadow(unit: UnitOfWork, version: str, error: str) -> None:
    """Let an ensemble rest for a while: its networks cannot be loaded, or fail."""
    ensemble = unit.session.get_one(EnsembleVersion, version, with_for_update={"key_share": True})
    if ensemble.shadow_since is not None:
        ensemble.shadow_error, ensemble.shadow_paused_until = error, unit.at + PAUSE


def give_up_shadows(unit: UnitOfWork) -> None:
    """Let go of images that killed their worker at every attempt."""
    waits = ShadowImage.given_up_at.is_(None)
    spent = select(ShadowImage).where(
        waits, lease.is_spent(ShadowImage, unit.at, unit.policy.lease)
    )
    for row in unit.session.scalars(spent.with_for_update(skip_locked=True)):
        _give_up(row, unit.at, WORKER_DIED)


def _working(session: Session, now: datetime) -> list[EnsembleVersion]:
    """The ensembles in shadow that do not rest."""
    return [
        each
        for each in shadow_ensembles(session)
        if each.shadow_paused_until is None or each.shadow_paused_until <= now
    ]


def _has_work(unit: UnitOfWork, ensemble: EnsembleVersion, due: datetime | None = None) -> bool:
    """Tell whether an image waits for the ensemble. due: only what is due then."""
    claimable = _claimable(unit, ensemble).limit(1)
    if due is not None:
        claimable = claimable.where(ShadowImage.due_at <= due)
    return unit.session.execute(claimable).first() is not None


def _claimable(unit: UnitOfWork, ensemble: EnsembleVersion) -> Select[ShadowImage, Image]:
    return (
        select(ShadowImage, Image)
        .join(Image, ShadowImage.image_id == Image.id)
        .where(
            ShadowImage.ensemble_version == ensemble.version,
            ShadowImage.given_up_at.is_(None),
            lease.is_free(ShadowImage, unit.at),
            lease.has_attempts(ShadowImage, unit.policy.lease),
            Image.state == ImageState.SCORED,
            Image.preprocessing_version == ensemble.preprocessing_version,
        )
        .options(selectinload(Image.study))
    )


def _is_suspect(row: ShadowImage) -> bool:
    """Tell whether an attempt failed that was not excused."""
    return row.attempts > row.excused


def _leased_rows(unit: UnitOfWork, claimed: Sequence[ClaimedShadow]) -> list[ShadowImage]:
    rows = lease.leased_rows(unit.session, ShadowImage, [each.lease for each in claimed])
    return list(rows.values())


def _give_up(row: ShadowImage, at: datetime, reason: str) -> None:
    row.given_up_at, row.reason = at, reason
    lease.release(row)
