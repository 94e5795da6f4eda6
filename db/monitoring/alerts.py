"""Alerts: opened once, kept while they hold, and cleared. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from db.session import rows_of
from db.tables import AlertRow
from readfirst.language.texts import gettext
from readfirst.monitoring.alerts import MEANINGS, Alert, AlertKind, remedy
from readfirst.monitoring.period import Period

_IS_OPEN = AlertRow.cleared_at.is_(None)
#: Made once, as it is part of each page.
_COUNT_OPEN = select(func.count()).select_from(AlertRow).where(_IS_OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert. means, remedy: a sentence each; detail: what was found last.

    about: of what among its kind: a subject of drift, a refusal's code, an ensemble's version.
    """

    kind: AlertKind
    about: str
    opened_at: datetime
    seen_at: datetime
    cleared_at: datetime | None
    value: float
    bound: float
    means: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The alerts that were opened and cleared, each by kind and about."""

    opened: tuple[tuple[AlertKind, str], ...]
    cleared: tuple[tuple[AlertKind, str], ...]


def keep_alerts(session: Session, holding: Sequence[Alert], now: datetime) -> Changes:
    """Let these be the open ones: what is open already stays one, what holds no more is cleared."""
    known = {(row.kind, row.about): row for row in session.scalars(_open().with_for_update())}
    by_key = {(alert.kind, alert.about): alert for alert in holding}
    for key, row in known.items():
        if key not in by_key:
            row.cleared_at = now
    for key, alert in by_key.items():
        row = known.get(key) or _opened(session, alert, now)
        row.seen_at, row.value, row.bound, row.detail = now, alert.value, alert.bound, alert.detail
    return Changes(
        opened=tuple(key for key in by_key if key not in known),
        cleared=tuple(key for key in known if key not in by_key),
    )


def open_alerts(session: Session) -> list[AlertRecord]:
    """The alerts that hold, the latest first."""
    return [_view(row) for row in session.scalars(_open().order_by(AlertRow.id.desc()))]


def alerts(session: Session, period: Period) -> list[AlertRecord]:
    """The alerts that held at some time of a period, the latest first."""
    of_period = (AlertRow.opened_at < period.end) & or_(
        _IS_OPEN, AlertRow.cleared_at >= period.start
    )
    query = (
        select(AlertRow).where(of_period).order_by(AlertRow.opened_at.desc(), AlertRow.id.desc())
    )
    return [_view(row) for row in session.scalars(query)]


def open_counts(session: Session) -> Mapping[tuple[AlertKind, str], int]:
    """The numbers of alerts that hold, by kind and about."""
    query = (
        select(AlertRow.kind, AlertRow.about, func.count())
        .where(_IS_OPEN)
        .group_by(AlertRow.kind, AlertRow.about)
    )
    return {(kind, about): number for kind, about, number in session.execute(query)}


def count_open(session: Session) -> int:
    """The number of alerts that hold."""
    return rows_of(session, _COUNT_OPEN).scalar_one()


def _open() -> Select[AlertRow]:
    return select(AlertRow).where(_IS_OPEN)


def _opened(session: Session, alert: Alert, now: datetime) -> AlertRow:
    row = AlertRow(kind=alert.kind, about=alert.about, opened_at=now)
    session.add(row)
    return row


def _view(row: AlertRow) -> AlertRecord:
    return AlertRecord(
        kind=row.kind,
        about=row.about,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        cleared_at=row.cleared_at,
        value=row.value,
        bound=row.bound,
        means=gettext(MEANINGS[row.kind]),
        detail=row.detail,
        remedy=remedy(row.kind, row.about),
    )
