"""Heat maps as work: wanted by a reader or for a flagged film, made by a worker when no film waits.

Scores come first. What somebody asked for waits for every film that has just come in; what is made
for flagged films by itself also waits for those that the night scores again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from db.lifecycle import lease
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.image import WAITING
from db.lifecycle.lease import Lease, LeasePolicy
from db.lifecycle.outbox import is_told
from db.lifecycle.sending.enqueue import enqueue_heat_map
from db.session import insert_into
from db.tables import HeatMap, Image
from readfirst.domain import Urgency
from readfirst.heat_maps import Area, HeatMethod, HeatState

SUPERSEDED = "Another ensemble was promoted before it was made."
WORKER_DIED = "The worker died each time that it was made."


@dataclass(frozen=True, slots=True)
class ClaimedMap:
    """A heat map that this worker is to make."""

    lease: Lease
    sha256: str
    method: HeatMethod
    ensemble_version: str


def is_explained(event: DomainEvent) -> bool:
    """Tell whether a heat map is made by itself: of flagged films that come in, and of news."""
    is_live_score = event.action is EventAction.SCORED and event.cause is Cause.LIVE
    return is_told(event) or (is_live_score and event.score is not None and event.score.flagged)


def want(
    session: Session,
    image_id: int,
    version: str,
    method: HeatMethod,
    at: datetime,
    *,
    requested: bool,
) -> HeatMap:
    """Let a heat map be made, unless it is made already.

    requested: by a person, who may so also have a failed one tried again. One that is made, or
    wanted already, is not wanted twice.
    """
    key = {"image_id": image_id, "ensemble_version": version, "method": method}
    _insert(session, key | {"state": HeatState.WANTED, "requested": requested, "wanted_at": at})
    heat_map = session.scalars(select(HeatMap).filter_by(**key)).one()
    if heat_map.state is HeatState.WANTED:
        heat_map.requested = heat_map.requested or requested
    elif heat_map.state is HeatState.FAILED and requested:
        want_again(heat_map, at, requested=True)
    return heat_map


def want_again(heat_map: HeatMap, at: datetime, *, requested: bool) -> None:
    """Let a heat map be made as if it never had been, or never had failed."""
    heat_map.state, heat_map.wanted_at = HeatState.WANTED, at
    heat_map.requested = requested
    heat_map.made_at = heat_map.reason = None
    lease.release(heat_map)


def claim_wanted(
    session: Session, version: str, now: datetime, policy: LeasePolicy
) -> ClaimedMap | None:
    """Take the heat map that is wanted most; None if there is none, or if films wait for a score.

    version: of the active ensemble; what was wanted of another one fails.
    """
    if _films_wait(session, Urgency.LIVE):
        return None
    _fail_others(session, version)
    query = select(HeatMap).where(_free(now), lease.has_attempts(HeatMap, _few(policy)))
    if _films_wait(session, Urgency.RESCORE):
        query = query.where(HeatMap.requested)
    # Grad-CAM, which takes a moment, before LIME.
    order = (HeatMap.requested.desc(), HeatMap.method, HeatMap.wanted_at, HeatMap.id)
    row = session.scalar(
        query.order_by(*order).limit(1).with_for_update(key_share=True, skip_locked=True)
    )
    if row is None:
        return None
    (row_lease,) = lease.take([row], now, policy)
    image = session.get_one(Image, row.image_id)
    return ClaimedMap(row_lease, image.sha256, row.method, version)


def film_waits(session: Session) -> bool:
    """Tell whether a film that has just come in waits for its score."""
    return _films_wait(session, Urgency.LIVE)


def is_any_wanted(session: Session) -> bool:
    """Tell whether there is a heat map to make."""
    query = select(HeatMap.id).where(HeatMap.state == HeatState.WANTED)
    return session.scalar(query.limit(1)) is not None


def made(
    session: Session,
    claimed: ClaimedMap,
    area: Area | None,
    at: datetime,
    *,
    silent: bool = False,
) -> bool:
    """The file is there. Returns whether another system gets it. silent: none does."""
    row = lease.leased_row(session, HeatMap, claimed.lease)
    if row is None:
        return False
    row.state, row.made_at = HeatState.MADE, at
    if area is not None:
        row.top, row.left, row.bottom, row.right = area.top, area.left, area.bottom, area.right
    lease.release(row)
    return not silent and enqueue_heat_map(session, row, at)


def give_way(session: Session, claimed: ClaimedMap) -> None:
    """Let it be made later; this was no failed attempt."""
    row = lease.leased_row(session, HeatMap, claimed.lease)
    if row is not None:
        lease.give_way(row)


def attempt_failed(
    session: Session, claimed: ClaimedMap, error: str, at: datetime, policy: LeasePolicy
) -> None:
    """Free it for later, or let it have failed after the last attempt."""
    row = lease.leased_row(session, HeatMap, claimed.lease)
    if row is None:
        return
    lease.fail(row)
    if lease.is_last_attempt(row, _few(policy)):
        _fail(row, f"It could not be made ({error}).")
        return
    lease.pause(row, at, policy)


def attempt_excused(
    session: Session, claimed: ClaimedMap, at: datetime, policy: LeasePolicy
) -> None:
    """Free it for later, however often: a fault of the machine is none of the heat map."""
    row = lease.leased_row(session, HeatMap, claimed.lease)
    if row is not None:
        lease.excuse(row, at, policy)


def fail(session: Session, claimed: ClaimedMap, reason: str) -> None:
    """Let it have failed: no further attempt would make it. reason: a sentence."""
    row = lease.leased_row(session, HeatMap, claimed.lease)
    if row is not None:
        _fail(row, reason)


def give_up_maps(session: Session, now: datetime, policy: LeasePolicy) -> None:
    """Let those have failed that killed their worker at every attempt."""
    wanted = HeatMap.state == HeatState.WANTED
    spent = select(HeatMap).where(wanted, lease.is_spent(HeatMap, now, _few(policy)))
    for row in session.scalars(spent.with_for_update(key_share=True, skip_locked=True)):
        _fail(row, WORKER_DIED)


def _few(policy: LeasePolicy) -> LeasePolicy:
    """After few attempts that ended without a word, too: the worker that dies scores films."""
    return replace(policy, max_unproven=policy.max_attempts)


def _insert(session: Session, values: dict[str, Any]) -> None:
    """Add a row unless it is there, whoever adds it at the same moment."""
    new = insert_into(session, HeatMap).values(attempts=0, **values)
    session.execute(new.on_conflict_do_nothing())


def _fail_others(session: Session, version: str) -> None:
    wanted = HeatMap.state == HeatState.WANTED
    others = select(HeatMap).where(wanted, HeatMap.ensemble_version != version)
    for row in session.scalars(others.with_for_update(key_share=True, skip_locked=True)):
        _fail(row, SUPERSEDED)


def _fail(row: HeatMap, reason: str) -> None:
    row.state, row.reason = HeatState.FAILED, reason
    lease.release(row)


def _films_wait(session: Session, urgency: Urgency) -> bool:
    """Tell whether a film of this urgency or a higher one waits for its score."""
    waits = select(Image.id).where(Image.state.in_(WAITING), Image.urgency <= urgency)
    return session.scalar(waits.limit(1)) is not None


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(HeatMap.state == HeatState.WANTED, lease.is_free(HeatMap, now))
