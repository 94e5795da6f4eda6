"""The one rule between changes of studies and the days that the monitoring keeps."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from db.tables import KeptDay

#: A day is kept so long after its end at the earliest: changes of what came in later than that
#: need not look for kept days, as those of live films.
SETTLING = timedelta(hours=1)
#: The number of PostgreSQL's advisory lock.
LOCK = 0x5EAD_DA75


def settled_before(now: datetime) -> datetime:
    """The moment before which a day must have ended to be kept."""
    return now - SETTLING


def forget_days(session: Session, moments: Iterable[datetime], now: datetime) -> None:
    """Forget the kept days of what came in at these moments, since it changes.

    Must be the last statement of a transaction, so that others wait for its commit alone.
    """
    old = {at for at in moments if at <= settled_before(now)}
    if not old:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
    for some in _in_slices(sorted(old)):
        of_day = (and_(KeptDay.starts_at <= at, KeptDay.ends_at > at) for at in some)
        session.execute(delete(KeptDay).where(or_(*of_day)))


def exclude_changes(session: Session) -> None:
    """Let no study change until this transaction ends; wait for those that are changing."""
    # This begins the transaction: on SQLite with the lock of its only writer.
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def _in_slices(moments: list[datetime], size: int = 100) -> Iterable[list[datetime]]:
    return (moments[start : start + size] for start in range(0, len(moments), size))
