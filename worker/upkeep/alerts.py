"""The hourly look at the alerts: those that hold are opened once, the others are cleared."""

from datetime import UTC, datetime

import structlog

from db.monitoring.alerts import Changes, keep_alerts
from db.monitoring.rules import holding
from db.session import Database
from readfirst.monitoring.config import MonitoringConfig

log = structlog.get_logger()


def check_alerts(
    database: Database, rules: MonitoringConfig, now: datetime | None = None
) -> Changes:
    """Look once. now: if it is to be another time than it is."""
    at = now or datetime.now(UTC)
    with database.read() as session:
        alerts = holding(session, at, rules)
    with database.write() as session:
        changes = keep_alerts(session, alerts, at)
    for action, keys in (("alert_opened", changes.opened), ("alert_cleared", changes.cleared)):
        for kind, about in keys:
            log.warning(action, action="watch", kind=kind.value, about=about)
    return changes
