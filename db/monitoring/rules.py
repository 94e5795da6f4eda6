"""The rules of the alerts, asked of the database as it is now."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.ensembles.thresholds import active_thresholds
from db.ensembles.versions import active_ensemble
from db.monitoring.drift import Drift, drift
from db.monitoring.kept_days import MonitoringData
from db.monitoring.verdicts import verdict_measures
from db.tables import Image
from readfirst.domain import ImageState
from readfirst.monitoring.alerts import Alert, AlertKind, no_films, ppv_low, refusals_jumped
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period, make_period
from readfirst.monitoring.stability import Judged

#: Drift is judged by the last two weeks: long enough for films, short enough to notice.
DRIFT_DAYS = 14
#: What is usual is seen in so long.
USUAL = timedelta(days=28)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEKS_BEFORE = 4


def holding(session: Session, now: datetime, config: MonitoringConfig) -> list[Alert]:
    """Every alert that holds."""
    alerts = [*_drifting(session, now, config), *_refused(session, now, config)]
    for alert in (_silent(session, now), _unconfirmed(session, now, config)):
        if alert is not None:
            alerts.append(alert)
    return alerts


def drift_period(now: datetime, config: MonitoringConfig) -> Period:
    """The days by which drift is judged."""
    return _last_days(now, DRIFT_DAYS, config)


def _drifting(session: Session, now: datetime, config: MonitoringConfig) -> Iterator[Alert]:
    """Find one alert for each subject, whatever the scanners and whatever it is compared with."""
    rows = [
        row
        for row in drift(MonitoringData(session), drift_period(now, config), config)
        if row.span == "period" and row.judged is Judged.DRIFT
    ]
    for subject in dict.fromkeys(row.subject for row in rows):
        worst = sorted((row for row in rows if row.subject == subject), key=_index, reverse=True)
        scanners = "; ".join(
            f"{row.scanner} {row.psi:.2f} (against {row.against})" for row in worst[:3]
        )
        versions = worst[0].ensemble_versions
        ensembles = f", ensemble {versions}" if versions else ""
        yield Alert(
            kind=AlertKind.DRIFT,
            about=subject,
            value=_index(worst[0]),
            bound=config.drift_alarm,
            detail=f"Stability index of {subject} in {DRIFT_DAYS} days{ensembles}: {scanners}.",
        )


def _index(row: Drift) -> float:
    return row.psi or 0.0


def _refused(session: Session, now: datetime, config: MonitoringConfig) -> Iterator[Alert]:
    lately = _by_code(session, now - DAY, now)
    usually = _by_code(session, now - DAY - USUAL, now - DAY)
    images, before = sum(lately.values()), sum(usually.values())
    if before < config.least_films:
        return
    for code in sorted(code for code in lately if code is not None):
        alert = refusals_jumped(
            code, lately=(lately[code], images), usually=(usually.get(code, 0), before)
        )
        if alert is not None:
            yield alert


def _by_code(session: Session, start: datetime, end: datetime) -> dict[str | None, int]:
    """Images that came in, by their refusal's code; None for those that are not refused."""
    query = (
        select(Image.state, Image.code, func.count())
        .where(Image.received_at >= start, Image.received_at < end)
        .group_by(Image.state, Image.code)
    )
    by_code: dict[str | None, int] = {}
    for state, code, images in session.execute(query):
        key = code.value if state is ImageState.REFUSED and code is not None else None
        by_code[key] = by_code.get(key, 0) + images
    return by_code


def _silent(session: Session, now: datetime) -> Alert | None:
    """By the same hours of the four weeks before the last film, each of which it had to be here."""
    # One at a time: so each is a look into the index.
    first = session.scalar(select(func.min(Image.received_at)))
    last = session.scalar(select(func.max(Image.received_at)))
    if first is None or last is None or first > last - WEEKS_BEFORE * WEEK or last >= now:
        return None
    looked_at = min(now - last, WEEK)
    starts = [last - week * WEEK for week in range(1, WEEKS_BEFORE + 1)]
    came = [_arrived(session, start, start + looked_at) for start in starts]
    return no_films((now - last).total_seconds() / 3600, came)


def _arrived(session: Session, start: datetime, end: datetime) -> int:
    """The number of images that came in after one moment and before another."""
    query = select(func.count()).where(Image.received_at > start, Image.received_at < end)
    return session.scalar(query) or 0


def _unconfirmed(session: Session, now: datetime, config: MonitoringConfig) -> Alert | None:
    active = active_ensemble(session)
    if active is None:
        return None
    # Another threshold is another PPV: what was flagged by the one before says nothing of it.
    threshold = active_thresholds(session).by_ensemble[active.version].version
    period = _last_days(now, USUAL.days, config)
    thresholds = {active.version: threshold}
    for row in verdict_measures(MonitoringData(session), period, config, thresholds):
        is_it = (row.span, row.measure) == ("period", "ppv")
        if is_it and row.ensemble_version == active.version:
            return ppv_low(active.version, row.hits or 0, row.of, config.least_ppv)
    return None


def _last_days(now: datetime, days: int, config: MonitoringConfig) -> Period:
    today = now.astimezone(config.zone).date()
    return make_period(today - timedelta(days=days - 1), today, now, config.zone)
