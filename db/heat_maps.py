"""Heat maps as they stand: which are wanted, made or failed. The maps themselves are files."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ensembles.versions import active_ensemble
from db.tables import HeatMap, Image
from readfirst.heat_maps import Area, HeatMethod, HeatState


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMapRecord:
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


def heat_maps_of(session: Session, sha256: str) -> tuple[HeatMapRecord, ...]:
    """The heat maps of an image, the latest that was wanted first."""
    query = (
        select(HeatMap)
        .join(Image)
        .where(Image.sha256 == sha256)
        .order_by(HeatMap.wanted_at.desc(), HeatMap.id.desc())
    )
    active = active_ensemble(session)
    version = active.version if active else None
    return tuple(_record(row, version) for row in session.scalars(query))


def _record(row: HeatMap, active: str | None) -> HeatMapRecord:
    return HeatMapRecord(
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
