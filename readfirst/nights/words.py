"""Sentences of what is left for the nights, the same for page and terminal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from readfirst.language.formats import moment_text, number_text
from readfirst.language.texts import gettext, ngettext
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
        text = gettext("Ensemble {version} has scored all images that it can.")
        return text.format(version=ensemble)
    text = ngettext(
        "Ensemble {version} has {number} image left to score again",
        "Ensemble {version} has {number} images left to score again",
        left,
    )
    begin = text.format(version=ensemble, number=number_text(left))
    return begin + _how_long(films_an_hour, through, zone, running=running)


def _how_long(
    films_an_hour: float | None, through: Forecast | None, zone: ZoneInfo, *, running: bool
) -> str:
    """The end of the sentence: how long that takes."""
    if films_an_hour is None:
        return gettext(". The first night will tell how long that takes.")
    rate = number_text(films_an_hour)
    if through is None:
        return gettext("; at {rate} an hour that takes years.").format(rate=rate)
    at = clock(through.through_at, zone)
    if running and through.nights <= 1:
        return gettext("; at {rate} an hour it is through at {time}.").format(rate=rate, time=at)
    text = ngettext(
        "; at {rate} an hour that takes {number} night, until {time}.",
        "; at {rate} an hour that takes {number} nights, until {time}.",
        through.nights,
    )
    return text.format(rate=rate, number=number_text(through.nights), time=at)


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """A day and a time as the site's clocks show them."""
    return moment_text(moment, "minute", zone)
