"""Zip archives made to harm: bombs, lies, circles, and names that would lead elsewhere."""

import struct
import zlib
from collections.abc import Iterator
from zipfile import ZIP_STORED

from tests.fuzz.seeds import archived
from tests.support.files import a_dataset, a_gradient, dicom_bytes

LOCAL, ENTRY, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def hostile_archives() -> Iterator[tuple[str, bytes]]:
    """Their names and contents."""
    film = dicom_bytes(a_dataset(a_gradient()))
    whole = archived({"film.dcm": film}, ZIP_STORED)
    directory = whole.index(ENTRY)
    yield "archive-of-overlapping-bombs", overlapping(500, 40 << 20)
    yield "archive-of-many-entries", overlapping(60_000, 1)
    yield "archive-in-archive", archived({"inner.zip": whole})
    yield "archive-that-says-zip64", _changed(whole, directory + 20, b"\xff" * 8)
    yield "archive-entry-outside", _changed(whole, directory + 42, b"\xf0\xff\xff\xff")
    yield "archive-entry-at-itself", _changed(whole, directory + 42, struct.pack("<I", directory))
    yield "archive-directory-outside", _changed(whole, whole.index(END) + 16, b"\xff\xff\xff\x7f")
    yield "archive-of-no-entries", _changed(whole, whole.index(END) + 8, bytes(4))
    yield "archive-name-outside", _changed(whole, directory + 28, b"\xff\xff")
    yield "archive-twice", whole + whole
    names = ("../" * 50 + "etc/passwd", "/etc/passwd", "a\0b", "CON", "x" * 60_000, "\u202egnp.exe")
    yield "archive-of-names", archived(dict.fromkeys(names, film))


def _changed(content: bytes, at: int, field: bytes) -> bytes:
    return content[:at] + field + content[at + len(field) :]


def overlapping(entries: int, size: int) -> bytes:
    """Many entries of one directory that all name the same deflated zeros."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = squeeze.compress(bytes(size)) + squeeze.flush()
    # APPNOTE 4.3.7 and 4.3.12: from the version to the length of the extra field.
    common = struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, 33, zlib.crc32(bytes(size)), len(data), size, 1, 0
    )
    local = LOCAL + common + b"a" + data
    entry = ENTRY + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a"
    number = min(entries, 0xFFFF)
    sizes = struct.pack("<HHHHIIH", 0, 0, number, number, len(entry) * entries, len(local), 0)
    return local + entry * entries + END + sizes
