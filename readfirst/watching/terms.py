"""What a site chooses of how the AI is watched."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from readfirst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTerms:
    """prevalence: share of pneumonia at the site; None for that of the ensemble's films.

    baseline: first and last day of the weeks that later ones are held against; None for the first
    ones. drift_notice, drift_alarm: PSI from which a change is told, and from which it is an alarm.
    least_films: fewer are not judged. least_ppv: bound of the PPV.
    """

    zone: ZoneInfo
    prevalence: float | None
    baseline: tuple[date, date] | None
    drift_notice: float
    drift_alarm: float
    least_films: int
    least_ppv: float


def watch_terms(settings: Settings) -> WatchTerms:
    """They, by the site's settings."""
    return WatchTerms(
        zone=settings.zone,
        prevalence=settings.prevalence,
        baseline=settings.baseline_days,
        drift_notice=settings.drift_notice,
        drift_alarm=settings.drift_alarm,
        least_films=settings.drift_films,
        least_ppv=settings.least_ppv,
    )
