"""Sentences of what is left for the nights, the same for page and terminal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from readfirst.nights.forecast import Forecast


def outlook_text(
    ensemble: str,
    left: int,
    films_an_hour: float | None,
    through: Forecast | None,
    zone: ZoneInfo,
    *,
    running: bool = False,
) -> str:
    """Say how much an ensemble has still to score again, and when it will be through."""
    if left == 0 and not running:
        return f"Ensemble {ensemble} has scored all images that it can."
    images = "1 image" if left == 1 else f"{left:,} images"
    begin = f"Ensemble {ensemble} has {images} left to score again"
    if films_an_hour is None:
        return f"{begin}. The first night will tell how long that takes."
    rate = f"at {films_an_hour:,.0f} an hour"
    if through is None:
        return f"{begin}; {rate} that takes years."
    at = clock(through.through_at, zone)
    if running and through.nights <= 1:
        return f"{begin}; {rate} it is through at {at}."
    nights = "1 night" if through.nights == 1 else f"{through.nights:,} nights"
    return f"{begin}; {rate} that takes {nights}, until {at}."


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """A day and a time as the site's clocks show them."""
    return moment.astimezone(zone).strftime("%d %b %Y %H:%M")
