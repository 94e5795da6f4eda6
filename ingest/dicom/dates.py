"""Dates, times and ages as DICOM writes them (PS3.5 6.2). Pure.

The form is checked before a value is read: Python's own parsers take months of one digit and digits
of every script, and would make another day of a date that is cut off. What has no form, and a day
that no calendar has, is None; nothing is guessed.
"""

import re
from datetime import date, datetime, time, timedelta, timezone

from readfirst.calendar import EARLIEST_DAY, LATEST_DAY

#: DA is YYYYMMDD; YYYY.MM.DD was the form of ACR-NEMA, which PS3.5 6.2 lets readers accept.
DATE_FORM = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
#: TM is HHMMSS.FFFFFF, of which the last parts may be left out; HH:MM:SS was that of ACR-NEMA.
TIME_FORM = re.compile(
    r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.[0-9]{1,6})?)?)?"
    r"|([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?"
)
#: DT: a date and time of which the last parts and the offset may be left out. Less than a day is
#: no moment.
DATETIME_FORM = re.compile(r"([0-9]{8})((?:[0-9]{2}){1,3}|[0-9]{6}\.[0-9]{1,6})?([+-][0-9]{4})?")
#: PS3.3 C.12.1.1.8: hours and minutes from UTC, -1200 to +1400.
OFFSET_FORM = re.compile(r"([+-])([0-9]{2})([0-5][0-9])")
LEAST_OFFSET, MOST_OFFSET = timedelta(hours=-12), timedelta(hours=14)
#: AS is nnnD, nnnW, nnnM or nnnY. Devices write fewer digits, a space, or no unit at all.
AGE_FORM = re.compile(r"0*([0-9]{1,3}) *([DWMYdwmy]?)")
#: Nobody who was born before was X-rayed; year 1 is what software writes that knows none.
EARLIEST_BIRTH = date(1780, 1, 1)


def read_day(written: str, earliest: date = EARLIEST_DAY) -> date | None:
    """Read a DA; None for what is none, and outside `earliest` to `readfirst.calendar`'s last."""
    form = DATE_FORM.fullmatch(written)
    if form is None:
        return None
    year, month, day = (int(part) for part in form.groups() if part is not None)
    try:
        at = date(year, month, day)
    except ValueError:
        return None
    return at if earliest <= at <= LATEST_DAY else None


def read_time(written: str) -> time | None:
    """Read a TM, without fractions of a second; None for what is none."""
    form = TIME_FORM.fullmatch(written)
    if form is None:
        return None
    hour, minute, second = ([int(part) for part in form.groups() if part] + [0, 0])[:3]
    try:
        # PS3.5 6.2: 60 is a leap second, which Python's clock does not know.
        return time(hour, minute, 59 if second == 60 else second)
    except ValueError:
        return None


def read_datetime(written: str) -> tuple[datetime, str] | None:
    """Read a DT with at least its day: the moment, naive, and its offset as written, or empty."""
    form = DATETIME_FORM.fullmatch(written)
    day = read_day(form[1]) if form else None
    at = read_time(form[2] or "00") if form else None
    if form is None or day is None or at is None:
        return None
    return datetime.combine(day, at), form[3] or ""


def read_offset(written: str) -> timezone | None:
    """Read an offset from UTC, as `+0130`; None for what is none."""
    form = OFFSET_FORM.fullmatch(written)
    if form is None:
        return None
    offset = timedelta(hours=int(form[2]), minutes=int(form[3])) * (-1 if form[1] == "-" else 1)
    return timezone(offset) if LEAST_OFFSET <= offset <= MOST_OFFSET else None


def read_age(written: str) -> tuple[str, bool] | None:
    """Read an AS: as `004Y`, and True where the file gives no unit, which then is years.

    A large public archive writes `62` in every file.
    """
    form = AGE_FORM.fullmatch(written)
    if form is None:
        return None
    return f"{int(form[1]):03}{form[2].upper() or 'Y'}", not form[2]
