"""The state of the AI, in one line. Pure."""

from collections.abc import Sequence

from db.monitoring.alerts import AlertRecord
from db.monitoring.drift import Drift
from db.monitoring.rules import DRIFT_DAYS
from readfirst.monitoring.stability import Judged


def status_line(open_alerts: Sequence[AlertRecord], lately: Sequence[Drift]) -> str:
    """Say what holds: the alerts, or none, and what to watch of the last week.

    lately: the drift of the days that alerts look at, by week.
    """
    if open_alerts:
        number = len(open_alerts)
        meanings = " ".join(dict.fromkeys(alert.means for alert in open_alerts))
        return f"{number} {'alert' if number == 1 else 'alerts'}: {meanings}"
    return f"No alert. {watched(lately)}".rstrip()


def watched(rows: Sequence[Drift]) -> str:
    """Name what differs most in the latest week; nothing where nothing does."""
    weeks = [row for row in rows if row.span == "week" and row.psi is not None]
    if not weeks:
        return ""
    last = max(row.first for row in weeks)
    changed = [
        row for row in weeks if row.first == last and row.judged in (Judged.CHANGED, Judged.DRIFT)
    ]
    if not changed:
        return ""
    worst = max(changed, key=lambda row: row.psi or 0)
    return (
        f"Watch: {worst.subject} of {worst.scanner}, index {worst.psi:.2f} in the last week "
        f"(an alert looks at {DRIFT_DAYS} days)."
    )
