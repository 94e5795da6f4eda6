"""The site's choices for the monitoring of the AI."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from readfirst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringConfig:
    """prevalence: share of pneumonia at the site; None for that of the ensemble's films.

    baseline: first and last day of the weeks that later ones are compared with; None for the first
    ones. drift_notice, drift_alarm: PSI of a change, and of an alarm.
    least_films: fewer are not judged. least_ppv: bound of the PPV.
    least_verdicts: of fewer no share is stated.
    """

    zone: ZoneInfo
    prevalence: float | None
    baseline: tuple[date, date] | None
    drift_notice: float
    drift_alarm: float
    least_films: int
    least_ppv: float
    least_verdicts: int = 30


def monitoring_config(settings: Settings) -> MonitoringConfig:
    """Make the configuration from the site's settings."""
    return MonitoringConfig(
        zone=settings.zone,
        prevalence=settings.prevalence,
        baseline=settings.baseline_days,
        drift_notice=settings.drift_notice,
        drift_alarm=settings.drift_alarm,
        least_films=settings.drift_films,
        least_ppv=settings.least_ppv,
        least_verdicts=settings.least_verdicts,
    )
