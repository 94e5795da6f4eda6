"""Ways to break a DICOM file as devices and toolkits do: its header no longer fits its data."""

import random
import re
import struct
from collections.abc import Sequence

from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE

#: An explicit element with a short length: tag, representation, length.
SHORT = re.compile(
    rb"(..[\x00-\xff]{2})(AE|AS|CS|DA|DS|FD|FL|IS|LO|PN|SH|SL|SS|TM|UI|UL|US)(..)", re.S
)
#: The same with numbers in it; and those of the Image Pixel Module (PS3.3 C.7.6.3), but its data.
NUMBER = re.compile(rb"(..[\x00-\xff]{2})(DS|FD|FL|IS|SL|SS|UL|US)(..)", re.S)
IMAGE_PIXEL = re.compile(rb"(\x28\x00[\x00-\x11\x00\x01\x02\x03][\x00\x01])(US|CS|IS)(..)", re.S)
SYNTAX = re.compile(rb"(\x02\x00\x10\x00)(UI)(..)", re.S)
#: Numbers as people and devices write them, or do not.
ODD_NUMBERS = (
    b"0,143\\0,143", b"[2048, 2048]", b"\\2048", b"nan", b"1e400", b"-inf", b"US", b"", b"1,024",
    b"0", b"-1", b"1e-300", b"20000", b"99999999999999999999", b"\xff\xff\xff\xff", b"\0\0",
)  # fmt: skip
#: Samples, bits, sides and the like that fit other data.
OTHER_WHOLES = (0, 1, 2, 3, 4, 7, 8, 10, 11, 12, 15, 16, 24, 31, 32, 64, 160, 512, 1024, 65535)
ODD_VRS = (b"??", b"ox", b"lo", b"\0\0", b"UN", b"OB", b"SQ", b"ZZ", b"  ", b"\xff\xff")
#: PS3.5 7.5: items, and the ends of items and sequences, with no length or without an end.
DELIMITERS = tuple(
    b"\xfe\xff" + tag + length
    for tag in (b"\x00\xe0", b"\x0d\xe0", b"\xdd\xe0")
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff")
)


def odd_number(chance: random.Random, content: bytes, _: Sequence[int], __: bytes) -> bytes:
    """A number that is none, or that says nothing."""
    return _with_value(chance, content, NUMBER, chance.choice(ODD_NUMBERS))


def header_against_data(
    chance: random.Random, content: bytes, _: Sequence[int], __: bytes
) -> bytes:
    """A header that says of the pixels what they are not."""
    other = struct.pack("<H", chance.choice(OTHER_WHOLES))
    return _with_value(chance, content, IMAGE_PIXEL, other)


def odd_representation(chance: random.Random, content: bytes, _: Sequence[int], __: bytes) -> bytes:
    """An element of a representation that there is not, or of another one."""
    match = _match_in(chance, content, SHORT)
    if match is None:
        return content
    return content[: match.start(2)] + chance.choice(ODD_VRS) + content[match.end(2) :]


def odd_delimiter(
    chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes
) -> bytes:
    """A delimiter where none belongs, or zeros where one does."""
    places = [match.start() for match in re.finditer(rb"\xfe\xff[\x0d\xdd]\xe0", content)]
    if places and chance.random() < 0.5:
        at = chance.choice(places)
        return content[:at] + bytes(8) + content[at + 8 :]
    at = chance.choice(list(boundaries))
    return content[:at] + chance.choice(DELIMITERS) + content[at:]


def other_syntax(chance: random.Random, content: bytes, _: Sequence[int], __: bytes) -> bytes:
    """Pixels that are encoded in another way than the file meta says."""
    syntax = chance.choice(NATIVE + ENCAPSULATED).encode()
    return _with_value(chance, content, SYNTAX, syntax + b"\0" * (len(syntax) % 2), keep=False)


def _match_in(
    chance: random.Random, content: bytes, pattern: re.Pattern[bytes]
) -> re.Match[bytes] | None:
    matches = list(pattern.finditer(content[:8192]))
    return chance.choice(matches) if matches else None


def _with_value(
    chance: random.Random,
    content: bytes,
    pattern: re.Pattern[bytes],
    value: bytes,
    *,
    keep: bool = True,
) -> bytes:
    """Let an element say something else. keep: its length; else the length fits the value."""
    match = _match_in(chance, content, pattern)
    if match is None:
        return content
    size = int.from_bytes(match.group(3), "little")
    behind = match.end() + size
    if keep:
        return content[: match.end()] + value[:size].ljust(size) + content[behind:]
    length = struct.pack("<H", len(value))
    return content[: match.start(3)] + length + value + content[behind:]
