"""The state of the AI, in one line. Pure."""

from collections.abc import Sequence

from db.monitoring.alerts import AlertRecord
from db.monitoring.drift import Drift
from db.monitoring.rules import DRIFT_DAYS
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext, ngettext
from readfirst.monitoring.stability import Judged
from worklist.services.study_texts import scanner_text

#: What may drift, within a sentence.
SUBJECT_WORDS = ("scores", "exposure", "clipping", "refusals")


def status_line(open_alerts: Sequence[AlertRecord], lately: Sequence[Drift]) -> str:
    """Say what holds: the alerts, or none, and what to watch of the last week.

    lately: the drift of the days that alerts look at, by week.
    """
    if open_alerts:
        number = len(open_alerts)
        meanings = " ".join(dict.fromkeys(alert.means for alert in open_alerts))
        text = ngettext("{number} alert: {meanings}", "{number} alerts: {meanings}", number)
        return text.format(number=number, meanings=meanings)
    return " ".join(filter(None, (gettext("No alert."), watched(lately))))


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
    text = gettext(
        "Watch: {subject} of {scanner}, index {index} in the last week "
        "(an alert looks at {days} days)."
    )
    return text.format(
        subject=gettext(worst.subject),
        scanner=scanner_text(worst.scanner),
        index=number_text(worst.psi or 0, ".2f"),
        days=DRIFT_DAYS,
    )
