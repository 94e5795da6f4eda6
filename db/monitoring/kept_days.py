"""Days that are over are counted once, and their columns kept until something of them changes.

A change and the making of a kept day exclude one another, so that none is made from what another
transaction is about to change: on SQLite there is one writer at a time, PostgreSQL has a lock for
it (`db.lifecycle.unit_of_work` takes it too).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.kept_days import exclude_changes, settled_before
from db.monitoring.columns import TABLES, Columns, from_bytes, joined, of_days, to_bytes
from db.monitoring.load_columns import first_day, load_columns
from db.monitoring.totals import totals_of
from db.session import Database
from db.tables import EnsembleVersion, KeptDay
from readfirst.monitoring.period import Period


@dataclass
class MonitoringData:
    """Columns that the figures are counted from, read once for all of them in one transaction."""

    session: Session
    _columns: defaultdict[str, dict[Period, Columns]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def columns(self, table: str, period: Period) -> Columns:
        """A table of a period: that of kept days, and of the others as it is now.

        table: of `TABLES`.
        """
        known = self._columns[table]
        if period not in known:
            longer = next((each for each in known if each.contains(period)), None)
            known[period] = (
                _columns(table, self.session, period)
                if longer is None
                else of_days(known[longer], period.first, period.last)
            )
        return known[period]

    @cached_property
    def prevalences(self) -> dict[str, float | None]:
        """The share of pneumonia that each version presupposes, the latest version first."""
        query = select(EnsembleVersion.version, EnsembleVersion.prevalence).order_by(
            EnsembleVersion.registered_at.desc()
        )
        return dict(self.session.execute(query).all())


def keep_days(database: Database, zone: ZoneInfo, now: datetime, most: int) -> int:
    """Make the kept days that are missing, the latest first; at most so many. Returns how many.

    Each has a transaction of its own, so that nothing waits for long.
    """
    with database.read() as session:
        missing = _missing(session, zone, now)[:most]
    for day in missing:
        with database.write() as session:
            exclude_changes(session)
            session.execute(delete(KeptDay).where(KeptDay.zone != zone.key))
            session.merge(_made(session, Period(day, day, zone)))
    return len(missing)


def _columns(table: str, session: Session, period: Period) -> Columns:
    query = select(KeptDay.day, getattr(KeptDay, table)).where(
        KeptDay.zone == period.zone.key, KeptDay.day >= period.first, KeptDay.day <= period.last
    )
    kept = {day: from_bytes(TABLES[table], content) for day, content in session.execute(query)}
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    others = [day for day in days if day not in kept]
    read = {
        first: load_columns(table, session, Period(first, last, period.zone))
        for first, last in _runs(others)
    }
    blocks = kept | read
    return joined(TABLES[table], [blocks[day] for day in sorted(blocks)])


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """The first and the last of days that follow one another."""
    start = previous = None
    for day in days:
        if previous is None or day != previous + timedelta(days=1):
            if start is not None and previous is not None:
                yield start, previous
            start = day
        previous = day
    if start is not None and previous is not None:
        yield start, previous


def _missing(session: Session, zone: ZoneInfo, now: datetime) -> list[date]:
    first = first_day(session, zone)
    if first is None:
        return []
    query = select(KeptDay.day).where(KeptDay.zone == zone.key)
    kept, missing = set(session.scalars(query)), []
    day = settled_before(now).astimezone(zone).date() - timedelta(days=1)
    while day >= first:
        if day not in kept:
            missing.append(day)
        day -= timedelta(days=1)
    return missing


def _made(session: Session, period: Period) -> KeptDay:
    tables = {table: load_columns(table, session, period) for table in TABLES}
    return KeptDay(
        zone=period.zone.key,
        day=period.first,
        starts_at=period.start,
        ends_at=period.end,
        totals=totals_of(tables["films"], tables["studies"]),
        **{name: to_bytes(columns) for name, columns in tables.items()},
    )
