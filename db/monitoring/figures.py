"""Every figure by its name, as page, API and command line ask for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from db.monitoring.alerts import AlertRecord, alerts
from db.monitoring.drift import Drift, drift
from db.monitoring.kept_days import MonitoringData
from db.monitoring.scanners import ScannerRecord, scanners
from db.monitoring.times import Times, times
from db.monitoring.verdicts import Calibration, Measure, calibration, verdict_measures
from db.monitoring.volumes import RefusalCount, Volume, refusals, volumes
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period


@dataclass(frozen=True, slots=True)
class Figure:
    """A table of figures. kind: of its rows. description: what it holds, in a sentence."""

    kind: type[Any]
    rows: Callable[[MonitoringData, Period, MonitoringConfig], Sequence[Any]]
    description: str


FIGURES: dict[str, Figure] = {
    "volumes": Figure(
        Volume,
        lambda data, period, _: volumes(data, period),
        "What came in by day or week, what became of it, and what share is flagged.",
    ),
    "refusals": Figure(
        RefusalCount,
        lambda data, period, _: refusals(data, period),
        "What was not scored, by day or week and code.",
    ),
    "times": Figure(
        Times,
        lambda data, period, _: times(data, period),
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
        ScannerRecord,
        lambda data, period, _: scanners(data, period),
        "What each scanner sent, and how its films were exposed.",
    ),
    "alerts": Figure(
        AlertRecord,
        lambda data, period, _: alerts(data.session, period),
        "What a lead was told of: what it means, and what to do.",
    ),
    "drift": Figure(
        Drift,
        drift,
        "How far scores, exposure and refusals are from what was expected, by scanner and week.",
    ),
}
