"""Every figure by its name, as page, API and command line ask for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from db.watching.alerts import AlertView, alerts
from db.watching.drift import Drift, drift
from db.watching.scanners import ScannerView, scanners
from db.watching.times import Times, times
from db.watching.verdicts import Calibration, Measure, calibration, verdict_measures
from db.watching.volumes import Refusals, Volume, refusals, volumes
from readfirst.watching.period import Period
from readfirst.watching.terms import WatchTerms


@dataclass(frozen=True, slots=True)
class Figure:
    """A table of figures. kind: of its rows. says: what it holds, in a sentence."""

    kind: type[Any]
    rows: Callable[[Session, Period, WatchTerms], Sequence[Any]]
    says: str


FIGURES: dict[str, Figure] = {
    "volumes": Figure(
        Volume,
        lambda session, period, _: volumes(session, period),
        "What came in by day or week, what became of it, and what share is flagged.",
    ),
    "refusals": Figure(
        Refusals,
        lambda session, period, _: refusals(session, period),
        "What was not scored, by day or week and code.",
    ),
    "times": Figure(
        Times,
        lambda session, period, _: times(session, period),
        "From arrival to the worklist, and until read, in seconds: p50, p95 and p99.",
    ),
    "verdicts": Figure(
        Measure,
        verdict_measures,
        "How each ensemble version compares with the verdicts of readers.",
    ),
    "calibration": Figure(
        Calibration,
        calibration,
        "How often films of a stated probability show pneumonia, by verdicts.",
    ),
    "scanners": Figure(
        ScannerView,
        lambda session, period, _: scanners(session, period),
        "What each scanner sent, and how its films were exposed.",
    ),
    "alerts": Figure(
        AlertView,
        lambda session, period, _: alerts(session, period),
        "What a lead was told of: what it means, and what to do.",
    ),
    "drift": Figure(
        Drift,
        drift,
        "How far scores, exposure and refusals are from what was expected, by scanner and week.",
    ),
}
