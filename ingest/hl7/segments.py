"""Lenient reading of an HL7 message: its text, its segments and their fields. Pure."""

from datetime import UTC, date, datetime, timedelta, timezone
from re import compile as pattern
from zoneinfo import ZoneInfo

import hl7
from hl7 import Message, Segment

from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode

#: The character sets of MSH-18 (HL7 table 0211), and the codecs that read them.
CODECS = {
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/5": "iso8859-5",
    "8859/7": "iso8859-7",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
}
#: An HL7 value that says: there is none (2.5.1, chapter 2.5.3).
NULL = '""'
TIME = pattern(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(?:\.\d+)?([+-]\d{4})?")
#: The byte order mark, with which some systems begin.
MARK = "\ufeff"


def message_text(raw: bytes) -> str:
    """The text of a message, by the character set of its MSH-18; segments end with CR.

    What no codec reads stays as U+FFFD. A NUL, which no database keeps in a text, is left out.
    """
    codec = CODECS.get(_named_set(raw), "")
    text = _decoded(raw, *filter(None, (codec, "utf-8"))) or raw.decode("latin-1")
    lines = text.replace("\0", "").removeprefix(MARK).replace("\r\n", "\r").replace("\n", "\r")
    return "\r".join(line for line in lines.strip().split("\r") if line)


def parsed(text: str) -> Message:
    """The message of a text. Raises MessageRefused for what is none."""
    if not text.startswith("MSH") or len(text) < len("MSH|^~\\&"):
        raise MessageRefused(MessageCode.NOT_HL7)
    try:
        return hl7.parse(text)
    except Exception as error:
        # The library has no one error for what it cannot split: any of them means the same here.
        raise MessageRefused(MessageCode.NOT_HL7) from error


def value(
    segment: Segment | None, field: int, component: int = 1, *, repetition: int = 1, part: int = 1
) -> str | None:
    """A value of a segment, unescaped and without spaces around it; None where there is none.

    part: the subcomponent. Numbers count from 1, as in the standard.
    """
    if segment is None:
        return None
    try:
        text = segment.extract_field(
            field_num=field,
            repeat_num=repetition,
            component_num=component,
            subcomponent_num=part,
        )
    except (LookupError, TypeError, ValueError):
        return None
    clean = str(text or "").strip()
    return None if clean in ("", NULL) else clean


def repetitions(segment: Segment | None, field: int) -> int:
    """Count the repetitions of a field."""
    if segment is None or len(segment) <= field:
        return 0
    return len(segment[field])


def first(message: Message, name: str) -> Segment | None:
    """The first segment of a name; None without one."""
    return next((segment for segment in message if str(segment[0]) == name), None)


def order_groups(message: Message) -> list[dict[str, list[Segment]]]:
    """The segments of each order, by their names: a group begins with ORC, or with its OBR."""
    groups: list[dict[str, list[Segment]]] = []
    for segment in message:
        name = str(segment[0])
        begins = name == "ORC" or (name == "OBR" and (not groups or "OBR" in groups[-1]))
        if begins:
            groups.append({})
        if groups:
            groups[-1].setdefault(name, []).append(segment)
    return groups


def moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    """An HL7 time as UTC; without an offset of its own it is of this zone. None for no time."""
    match = TIME.fullmatch(text or "")
    if match is None:
        return None
    *numbers, offset = match.groups()
    try:
        local = datetime(*(int(number or 0) for number in numbers))  # type: ignore[arg-type]
        return local.replace(tzinfo=_zone(offset) if offset else zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(text: str | None) -> date | None:
    """The date of an HL7 time; None for no date."""
    match = TIME.match(text or "")
    try:
        return date(*map(int, match.groups()[:3])) if match else None
    except ValueError:
        return None


def _zone(offset: str) -> timezone:
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return timezone(timedelta(minutes=minutes if offset[0] == "+" else -minutes))


def _named_set(raw: bytes) -> str:
    """The first character set that MSH-18 names; every one of them has the separators of ASCII."""
    line = raw.lstrip(b"\xef\xbb\xbf \r\n")[:2000].replace(b"\n", b"\r").split(b"\r")[0]
    fields = line.split(line[3:4]) if len(line) > 3 else []
    name = fields[17] if len(fields) > 17 else b""
    return name.decode("ascii", "replace").split("~")[0].strip().upper()


def _decoded(raw: bytes, *codecs: str) -> str | None:
    for codec in codecs:
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return None
