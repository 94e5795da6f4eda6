"""Formatting of values for people, the same in the terminal and on the page."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import floor

from readfirst.language.formats import number_text
from readfirst.language.texts import gettext, pgettext

#: Nobody is older: a birth in 1900 stands for "unknown".
MOST_MONTHS = 116 * 12
#: Units of an age (PS3.5 6.2, AS), as people write them.
AGE_UNITS = {"D": "d", "W": "w", "M": "mo", "Y": "y"}


def short_duration(duration: timedelta) -> str:
    """As `45 s`, `12 min`, `3 h 05`, `2 d 4 h`."""
    seconds = max(0, int(duration.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60:02}"
    return gettext("{days} d {hours} h").format(days=days, hours=hours % 24)


def readable_name(person_name: str) -> str:
    """A DICOM person name as people write it: `Doe, Jane` of `Doe^Jane`.

    PS3.5 6.2.1: components are parted by `^`, component groups by `=`. The alphabetic group is
    shown with the ideographic one behind it, as `Yamada, Tarou (山田 太郎)`; where one of them is
    empty, the first group that says anything.
    """
    groups = [[part for part in group.split("^") if part] for group in person_name.split("=")]
    filled = [group for group in groups if group]
    if not filled:
        return ""
    first = ", ".join(filter(None, (filled[0][0], " ".join(filled[0][1:]))))
    both = len(groups) > 1 and bool(groups[0]) and bool(groups[1])
    return f"{first} ({' '.join(groups[1])})" if both else first


def age_at(born: date | None, at: datetime | None) -> str | None:
    """The age in DICOM's form (PS3.5 6.2, AS): years as `004Y`, or months as `011M` below one.

    None where it is not known, and for one that nobody can have.
    """
    if born is None or at is None:
        return None
    months = (at.year - born.year) * 12 + at.month - born.month - (at.day < born.day)
    if not 0 <= months < MOST_MONTHS:
        return None
    return f"{months // 12:03}Y" if months >= 12 else f"{months:03}M"


def readable_age(age: str) -> str:
    """An age string of DICOM (PS3.5 6.2, AS) as people write it: `4 y` of `004Y`."""
    number, unit = age[:-1], age[-1:].upper()
    known = number.isascii() and number.isdigit() and unit in AGE_UNITS
    return f"{int(number)} {pgettext('age', AGE_UNITS[unit])}" if known else age


def readable_percent(percent: float) -> str:
    """A probability in per cent: whole ones, half a one rounded up, and never certainty."""
    if percent < 0.5:
        return "< 1 %"
    return "> 99 %" if percent >= 99.5 else f"{floor(percent + 0.5)} %"


def readable_probability(probability: float) -> str:
    """A probability of 0 to 1 as people read it: `91 %`, `< 1 %`, `> 99 %`."""
    return readable_percent(round(100 * probability, 2))


def readable_share(value: float) -> str:
    """A share in per cent, with a digit behind the point below ten and above ninety."""
    spec = ".1f" if 0 < value < 0.1 or 0.9 < value < 1 else ".0f"
    return f"{number_text(100 * value, spec)} %"


def attribute_names(names: Iterable[str]) -> str:
    """Attributes in words, as `patient name, accession number`."""
    return ", ".join(gettext(name.replace("_", " ")) for name in names)
