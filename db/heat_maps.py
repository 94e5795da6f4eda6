"""Heat maps as work: wanted by a reader or for a flagged film, made by a worker when no film waits.

Scores come first. What somebody asked for waits for every film that has just come in; what is made
for flagged films by itself also waits for those that the night scores again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from db.ensembles import active_ensemble
from db.heat_map_tables import HeatMap
from db.tables import Image
from db.work import WAITING, Terms
from readfirst.domain import Urgency
from readfirst.heat import Area, HeatMethod, HeatState

SUPERSEDED = "Another ensemble was promoted before it was made."
WORKER_DIED = "The worker died each time that it was made."


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMapView:
    """One heat map, as it stands now."""

    method: HeatMethod
    ensemble_version: str
    #: Whether that is the active ensemble: what an older one saw is told as such.
    current: bool
    state: HeatState
    reason: str | None
    wanted_at: datetime
    made_at: datetime | None
    #: The part of the film that it covers; None while it is not made, or if nobody can tell.
    area: Area | None


@dataclass(frozen=True, slots=True)
class HeldMap:
    """A heat map that this worker is to make."""

    id: int
    sha256: str
    method: HeatMethod
    ensemble_version: str
    token: str


def want(
    session: Session, image_id: int, version: str, method: HeatMethod, at: datetime, *, asked: bool
) -> HeatMap:
    """Let a heat map be made. asked: by somebody, who may so also have a failed one tried again.

    One that is made, or wanted already, is not wanted twice.
    """
    # The image's row keeps two who want the same map from making two rows of it.
    session.scalar(select(Image.id).where(Image.id == image_id).with_for_update())
    known = session.scalar(
        select(HeatMap).where(
            HeatMap.image_id == image_id,
            HeatMap.ensemble_version == version,
            HeatMap.method == method,
        )
    )
    if known is None:
        known = HeatMap(image_id=image_id, ensemble_version=version, method=method, asked=asked)
        session.add(known)
    elif known.state is HeatState.MADE or (known.state is HeatState.FAILED and not asked):
        return known
    elif known.state is HeatState.WANTED:
        known.asked = known.asked or asked
        return known
    want_again(known, at, asked=asked)
    session.flush()
    return known


def want_again(heat_map: HeatMap, at: datetime, *, asked: bool) -> None:
    """As if it had never been made, or never failed."""
    heat_map.state, heat_map.wanted_at, heat_map.asked = HeatState.WANTED, at, asked
    heat_map.made_at = heat_map.reason = None
    heat_map.attempts = 0
    _release(heat_map)


def heat_maps_of(session: Session, sha256: str) -> tuple[HeatMapView, ...]:
    """The heat maps of an image, the latest that was wanted first."""
    query = (
        select(HeatMap)
        .join(Image)
        .where(Image.sha256 == sha256)
        .order_by(HeatMap.wanted_at.desc(), HeatMap.id.desc())
    )
    active = active_ensemble(session)
    version = active.version if active else None
    return tuple(_view(row, version) for row in session.scalars(query))


def claim_wanted(session: Session, version: str, now: datetime, terms: Terms) -> HeldMap | None:
    """Take the heat map that is wanted most; None if there is none, or if films wait for a score.

    version: of the active ensemble; what was wanted of another one fails.
    """
    if _films_wait(session, Urgency.LIVE):
        return None
    _fail_others(session, version)
    query = select(HeatMap).where(_free(now), HeatMap.attempts < terms.max_attempts)
    if _films_wait(session, Urgency.RESCORE):
        query = query.where(HeatMap.asked)
    # Grad-CAM, which takes a moment, before LIME.
    order = (HeatMap.asked.desc(), HeatMap.method, HeatMap.wanted_at, HeatMap.id)
    query = query.order_by(*order).limit(1).with_for_update(skip_locked=True)
    found = session.scalar(query)
    if found is None:
        return None
    found.attempts += 1
    found.lease_until, found.lease_token = now + terms.lease, uuid4().hex
    image = session.get_one(Image, found.image_id)
    return HeldMap(found.id, image.sha256, found.method, version, found.lease_token)


def film_waits(session: Session) -> bool:
    """Whether a film that has just come in waits for its score."""
    return _films_wait(session, Urgency.LIVE)


def is_any_wanted(session: Session) -> bool:
    """Whether there is a heat map to make."""
    query = select(HeatMap.id).where(HeatMap.state == HeatState.WANTED)
    return session.scalar(query.limit(1)) is not None


def made(session: Session, held: HeldMap, area: Area | None, at: datetime) -> None:
    """The file is there."""
    row = _held(session, held)
    if row is None:
        return
    row.state, row.made_at = HeatState.MADE, at
    if area is not None:
        row.top, row.left, row.bottom, row.right = area.top, area.left, area.bottom, area.right
    _release(row)


def give_way(session: Session, held: HeldMap) -> None:
    """It goes on later: this was no failed attempt."""
    row = _held(session, held)
    if row is not None:
        row.attempts -= 1
        _release(row)


def attempt_failed(session: Session, held: HeldMap, error: str, at: datetime, terms: Terms) -> None:
    """Free it for later, or let it have failed after the last attempt."""
    row = _held(session, held)
    if row is None:
        return
    if row.attempts >= terms.max_attempts:
        _fail(row, f"It could not be made ({error}).")
        return
    row.lease_token, row.lease_until = None, at + timedelta(seconds=2**row.attempts)


def fail(session: Session, held: HeldMap, reason: str) -> None:
    """It cannot be made, however often it is tried. reason: a sentence."""
    row = _held(session, held)
    if row is not None:
        _fail(row, reason)


def give_up_maps(session: Session, now: datetime, terms: Terms) -> None:
    """Let those have failed that killed their worker at every attempt."""
    spent = select(HeatMap).where(_free(now), HeatMap.attempts >= terms.max_attempts)
    for row in session.scalars(spent.with_for_update(skip_locked=True)):
        _fail(row, WORKER_DIED)


def _fail_others(session: Session, version: str) -> None:
    wanted = HeatMap.state == HeatState.WANTED
    others = select(HeatMap).where(wanted, HeatMap.ensemble_version != version)
    for row in session.scalars(others.with_for_update(skip_locked=True)):
        _fail(row, SUPERSEDED)


def _fail(row: HeatMap, reason: str) -> None:
    row.state, row.reason = HeatState.FAILED, reason
    _release(row)


def _release(row: HeatMap) -> None:
    row.lease_until = row.lease_token = None


def _films_wait(session: Session, urgency: Urgency) -> bool:
    """Whether a film of this urgency or a higher one waits for its score."""
    waits = select(Image.id).where(Image.state.in_(WAITING), Image.urgency <= urgency)
    return session.scalar(waits.limit(1)) is not None


def _free(now: datetime) -> ColumnElement[bool]:
    unheld = or_(HeatMap.lease_until.is_(None), HeatMap.lease_until <= now)
    return and_(HeatMap.state == HeatState.WANTED, unheld)


def _held(session: Session, held: HeldMap) -> HeatMap | None:
    """The row for writing, or None if the lease went to another worker."""
    query = select(HeatMap).where(HeatMap.id == held.id, HeatMap.lease_token == held.token)
    return session.scalar(query.with_for_update())


def _view(row: HeatMap, active: str | None) -> HeatMapView:
    return HeatMapView(
        method=row.method,
        ensemble_version=row.ensemble_version,
        current=row.ensemble_version == active,
        state=row.state,
        reason=row.reason,
        wanted_at=row.wanted_at,
        made_at=row.made_at,
        area=_area(row),
    )


def _area(row: HeatMap) -> Area | None:
    if row.top is None or row.left is None or row.bottom is None or row.right is None:
        return None
    return Area(row.top, row.left, row.bottom, row.right)
