"""When each source sent its last film. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.scanner_names import SCANNER, scanner_name
from db.tables import Image

#: A source that sent nothing for longer is not listed; nor are more than the latest so many.
LISTED = timedelta(days=28)
MOST_SOURCES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A scanner by maker, model and station, its last film, and its films of the last day."""

    source: str
    last_at: datetime
    last_day: int


def last_films(session: Session, now: datetime) -> list[SourceRecord]:
    """The sources of the last four weeks; the one that has been silent for the longest first."""
    latest = func.max(Image.received_at)
    day = func.count().filter(Image.received_at > now - timedelta(days=1))
    query = (
        select(*SCANNER, latest, day)
        .where(Image.received_at > now - LISTED)
        .group_by(*SCANNER)
        .order_by(latest.desc())
        .limit(MOST_SOURCES)
    )
    rows = session.execute(query).all()
    return [
        SourceRecord(source=scanner_name(*names), last_at=last_at, last_day=last_day)
        for *names, last_at, last_day in reversed(rows)
    ]
