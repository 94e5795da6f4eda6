"""Rules that every message keeps, whatever the template of a site says. Pure."""

import re
from collections.abc import Iterator, Sequence

import hl7

#: Most characters of a message: more than any result has.
MOST_CHARACTERS = 1_000_000
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}\|")
#: Priorities of table 0485 that raise, in their old form too (OBR-27.6).
RAISES = ("S", "A", "STAT", "ASAP")
#: Names of the tables of HL7 whose priorities are compared; other systems are the site's own.
STANDARD_TABLES = ("", "HL70485", "HL7-0485")

Segment = list[str]


def faults(text: str, control_id: str, *, flagged: bool) -> Iterator[str]:
    """Yield what is wrong with a message, a sentence each, without any value of a patient.

    text: segments that end in a carriage return.
    """
    lines = text.split("\r")[:-1]
    if len(text) > MOST_CHARACTERS:
        yield f"The message has more than {MOST_CHARACTERS} characters."
        return
    for number, line in enumerate(lines, start=1):
        if not SEGMENT.match(line):
            yield f"Line {number} of the message is no segment: it must begin with a name as OBX|."
            return
    if not lines or not lines[0].startswith("MSH|^~\\&|"):
        yield "The message must begin with MSH|^~\\&|."
        return
    if not _is_parsed(text):
        yield "The message cannot be parsed."
        return
    segments = [line.split("|") for line in lines]
    yield from _header(segments[0], control_id)
    yield from _content(segments)
    yield from _priority(segments, flagged=flagged)


def _is_parsed(text: str) -> bool:
    try:
        return len(hl7.parse(text)) == text.count("\r")
    except (hl7.HL7Exception, ValueError, LookupError):
        return False


def _header(header: Segment, control_id: str) -> Iterator[str]:
    # MSH-1 is the delimiter itself, so that MSH-n is the item n - 1.
    expected = {
        9: ("ORU^R01^ORU_R01", "the type of the message"),
        10: (control_id, "{{ message.control_id }}, by which a receiver knows it again"),
        12: ("2.5.1", "the version"),
        18: ("UNICODE UTF-8", "the encoding in which it is sent"),
    }
    for number, (value, meaning) in expected.items():
        if _item(header, number - 1) != value:
            wanted = meaning if number == 10 else f"{value}, {meaning}"
            yield f"MSH-{number} must be {wanted}."


def _content(segments: Sequence[Segment]) -> Iterator[str]:
    names = [segment[0] for segment in segments]
    for name in ("MSH", "PID", "OBR"):
        if names.count(name) != 1:
            yield f"The message must have one {name} segment; it has {names.count(name)}."
    if "OBX" not in names:
        yield "The message has no OBX segment, so it says no result."
    for segment in segments:
        if segment[0] == "PID" and not _item(segment, 3):
            yield "PID-3, the patient's identifier, must not be empty."
        if segment[0] == "OBR" and not _item(segment, 4):
            yield "OBR-4, the procedure, must not be empty."


def _priority(segments: Sequence[Segment], *, flagged: bool) -> Iterator[str]:
    """Yield where a message would lower: a priority may only be raised, and by a flag alone."""
    for field, value, system in _priorities(segments):
        if not flagged:
            yield (
                f"{field} names a priority for a study that is not flagged; it must be within "
                "{% if result.flagged %}."
            )
        elif system in STANDARD_TABLES and value.upper() not in RAISES:
            yield f"{field} must be one of {', '.join(RAISES)}: a result may only raise."


def _priorities(segments: Sequence[Segment]) -> Iterator[tuple[str, str, str]]:
    """Yield each priority that a message names: its field, its code, and the system of the code."""
    for segment in segments:
        name = segment[0]
        if name == "TQ1":
            for value, _, system in (_parts(each) for each in _item(segment, 9).split("~")):
                if value:
                    yield "TQ1-9", value, system
        if name == "OBR" and _item(segment, 5):
            yield "OBR-5", _item(segment, 5), ""
        for owner, number in (("ORC", 7), ("OBR", 27)):
            quantity = _item(segment, number).split("^") if name == owner else []
            if len(quantity) > 5 and quantity[5]:
                yield f"{name}-{number}.6", quantity[5], ""


def _item(segment: Segment, number: int) -> str:
    return segment[number] if number < len(segment) else ""


def _parts(value: str) -> tuple[str, str, str]:
    first, second, third = (*value.split("^"), "", "", "")[:3]
    return first, second, third
