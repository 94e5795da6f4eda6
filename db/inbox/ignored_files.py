"""Files that came in and are no films: kept, and never scored. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.disclosures import OfFile
from db.images import NewArrival
from db.tables import IgnoredFile
from readfirst.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredFileRecord(OfFile):
    """A file that was ignored, and why. sha256: under it the original is kept."""

    relative_path: str
    sha256: str
    code: str
    reason: str
    arrived_at: datetime


def add_ignored_file(session: Session, arrival: NewArrival, refusal: Refused) -> None:
    """Record a file as no film; one that has its row already, from a run that died, once."""
    query = select(IgnoredFile.id).where(IgnoredFile.claim_id == arrival.claim_id)
    if session.scalar(query) is None:
        session.add(
            IgnoredFile(
                claim_id=arrival.claim_id,
                relative_path=arrival.relative_path,
                sha256=arrival.sha256,
                size=arrival.size,
                arrived_at=arrival.arrived_at,
                code=refusal.code,
                reason=refusal.reason,
            )
        )


def ignored_files(session: Session, *, limit: int) -> list[IgnoredFileRecord]:
    """Return the files that were ignored, the latest first."""
    query = (
        select(IgnoredFile)
        .order_by(IgnoredFile.arrived_at.desc(), IgnoredFile.id.desc())
        .limit(limit)
    )
    return [
        IgnoredFileRecord(
            relative_path=row.relative_path,
            sha256=row.sha256,
            code=row.code.value,
            reason=row.reason,
            arrived_at=row.arrived_at,
        )
        for row in session.scalars(query)
    ]
