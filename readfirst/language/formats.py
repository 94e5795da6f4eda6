"""Dates and numbers as the reader's language writes them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from readfirst.language.texts import current_language, gettext

#: The patterns of `strftime`; each language may have others.
PATTERNS = {
    "day": "%d %b %Y",
    "minute": "%d %b %Y %H:%M",
    "second": "%d %b %Y %H:%M:%S",
    "day_of_year": "%d %b",
    "minute_of_year": "%d %b %H:%M",
    "minute_of_day": "%H:%M",
    "second_of_day": "%H:%M:%S",
    "short_day": "%-d %b",
}


def moment_text(at: date, pattern: str, zone: ZoneInfo | None = None) -> str:
    """Write a day or a moment by one of `PATTERNS`. zone: of the site; else it is there already."""
    if zone is not None and isinstance(at, datetime):
        at = at.astimezone(zone)
    written = gettext(PATTERNS[pattern])
    return at.strftime(written.replace("%b", current_language().months[at.month - 1]))


def number_text(value: float, spec: str = ",.0f") -> str:
    """Write a number by a format of Python, as `,.1f`, with the language's point and commas."""
    written, language = format(value, spec), current_language()
    signs = {".": language.decimal_point, ",": language.thousands}
    return "".join(signs.get(sign, sign) for sign in written)
