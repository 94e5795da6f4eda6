"""The plan of a site's nights, by its settings."""

from readfirst.nights.window import NightPlan
from readfirst.settings import Settings


def night_plan(settings: Settings) -> NightPlan:
    """Make the plan."""
    return NightPlan(
        zone=settings.zone,
        start=settings.nightly_at,
        until=settings.nightly_until,
        films_an_hour=settings.nightly_films_an_hour,
    )
