"""HL7 v2 encoding of values: escapes (2.5.1, chapter 2.7), and the data types of results. Pure."""

import re
from datetime import date, datetime

from markupsafe import Markup

from readfirst.results.concepts import Code

#: The delimiters of every message that is written, as in MSH-1 and MSH-2.
DELIMITERS = "|^~\\&"
ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})
#: Of these a segment or an MLLP block would end.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: DICOM's groups of a person's name (PS3.5 6.2.1.1) in table 0465.
NAME_FORMS = ("A", "I", "P")
#: A name that nobody knows, which PID-5 has to say (table 0200, U).
UNKNOWN_NAME = Markup("^^^^^^U")


def escaped(value: object) -> Markup:
    """Return a value as text of a field, with nothing in it that delimits.

    None is empty, control characters are spaces. A `Markup` is encoded already and stays.
    """
    if isinstance(value, Markup):
        return value
    text = "" if value is None else str(value)
    text = text.encode("utf-8", "replace").decode()
    return _encoded(CONTROL.sub(" ", text).translate(ESCAPES))


def components(*values: object) -> Markup:
    """Return a field of several components, without the empty ones behind the last."""
    return _encoded("^".join(escaped(value) for value in values).rstrip("^"))


def time_stamp(at: datetime | None, utc_offset: str | None) -> Markup:
    """Return a TS: `20260301080500+0100`; without an offset where nobody knows one."""
    return _encoded(f"{at:%Y%m%d%H%M%S}{utc_offset or ''}" if at else "")


def day(at: date | None) -> Markup:
    """Return a DT: `20220314`."""
    return _encoded(f"{at:%Y%m%d}" if at else "")


def coded(code: Code) -> Markup:
    """Return a CWE: `RID5350^pneumonia^RADLEX`."""
    return components(code.value, code.meaning, code.scheme)


def coded_with_alternate(codes: tuple[Code, ...]) -> Markup:
    """Return a CWE of a code, and of its first equivalent as the alternate one."""
    return _encoded("^".join(coded(code) for code in codes[:2]))


def person_name(name: str | None) -> Markup:
    """Return an XPN of a DICOM name: family, given, middle, suffix, prefix.

    Each of several groups is a repetition, and says which alphabet it is in (XPN-8).
    """
    groups = [group.split("^") + [""] * 5 for group in (name or "").split("=")[:3]]
    forms = dict(zip(NAME_FORMS, groups, strict=False))
    named = {form: parts for form, parts in forms.items() if any(parts)}
    single = set(named) <= {"A"}
    repetitions = (_name(parts, () if single else ("L", form)) for form, parts in named.items())
    return _encoded("~".join(repetitions))


def _name(parts: list[str], more: tuple[str, ...]) -> Markup:
    family, first, middle, prefix, suffix = (part.strip() for part in parts[:5])
    # XPN-6, the degree, is no part of DICOM's names.
    return components(family, first, middle, suffix, prefix, *(("", *more) if more else ()))


def _encoded(text: str) -> Markup:
    """Return a text that is encoded: for HL7, where `Markup` alone would mean HTML."""
    return Markup(text)  # noqa: S704
