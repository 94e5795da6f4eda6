"""Every hour: which alerts hold now, told once and cleared when they hold no more."""

from datetime import UTC, datetime

import structlog

from db.watching.alerts import Changes, keep_alerts
from db.watching.rules import holding
from readfirst.watching.terms import watch_terms
from worker.resources import Resources

log = structlog.get_logger()


def watch(resources: Resources, now: datetime | None = None) -> Changes:
    """Look once. now: if it is to be another time than it is."""
    at = now or datetime.now(UTC)
    with resources.database.read() as session:
        found = holding(session, at, watch_terms(resources.settings))
    with resources.database.write() as session:
        changes = keep_alerts(session, found, at)
    for action, keys in (("alert_opened", changes.opened), ("alert_cleared", changes.cleared)):
        for kind, about in keys:
            log.warning(action, action="watch", kind=kind.value, about=about)
    return changes
