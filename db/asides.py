"""Files that came in and are no films: kept, and never scored. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images import NewArrival
from db.tables import SetAside
from readfirst.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideView:
    """A file that was set aside, and why. sha256: under it the original is kept."""

    relative_path: str
    sha256: str
    code: str
    reason: str
    arrived_at: datetime


def set_aside(session: Session, arrival: NewArrival, why: Refused) -> None:
    """Record a file as no film; one that has its row already, from a run that died, once."""
    query = select(SetAside.id).where(SetAside.claim_id == arrival.claim_id)
    if session.scalar(query) is None:
        session.add(
            SetAside(
                claim_id=arrival.claim_id,
                relative_path=arrival.relative_path,
                sha256=arrival.sha256,
                size=arrival.size,
                arrived_at=arrival.arrived_at,
                code=why.code,
                reason=why.reason,
            )
        )


def files_set_aside(session: Session, *, limit: int) -> list[AsideView]:
    """What was set aside, the latest first."""
    query = select(SetAside).order_by(SetAside.arrived_at.desc(), SetAside.id.desc()).limit(limit)
    return [
        AsideView(
            relative_path=row.relative_path,
            sha256=row.sha256,
            code=row.code.value,
            reason=row.reason,
            arrived_at=row.arrived_at,
        )
        for row in session.scalars(query)
    ]
