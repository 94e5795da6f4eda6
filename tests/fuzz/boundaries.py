"""The places where parts of a file begin and end: elements, fragments, markers, chunks, entries."""

import io
import re
import struct
import warnings
from collections.abc import Iterator

from pydicom import dcmread
from pydicom.filereader import data_element_generator
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

#: Item, Item Delimitation and Sequence Delimitation, in both byte orders (PS3.5 7.5).
ITEMS = re.compile(rb"\xfe\xff[\x00\x0d\xdd]\xe0|\xff\xfe\xe0[\x00\x0d\xdd]")
#: Of JPEG, JPEG-LS and JPEG 2000 alike: none of them has such bytes within its coded data.
MARKERS = re.compile(rb"\xff[\xc0-\xfe]|\xff[\x4f-\x5d]")
#: APPNOTE 4.3: local headers, entries of the directory, and its end; and where their fields begin.
RECORDS = re.compile(rb"PK\x03\x04|PK\x01\x02|PK\x05\x06")
RECORD_FIELDS = (0, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 42, 46)
#: Enough of them to stand before and behind every kind of segment.
MOST_MARKERS = 60
#: Where the fields of BITMAPFILEHEADER and BITMAPINFOHEADER begin.
BMP_FIELDS = (0, 2, 6, 10, 14, 18, 22, 26, 28, 30, 34, 38, 42, 46, 50, 54)


def boundaries(content: bytes) -> list[int]:
    """Every such place, in order, from the first byte to the end."""
    places = {0, len(content)} | set(_places(content))
    return sorted(offset for offset in places if 0 <= offset <= len(content))


def _places(content: bytes) -> Iterator[int]:
    if content[128:132] == b"DICM":
        yield from _dicom(content)
    elif content.startswith(b"\x89PNG"):
        yield from _chunks(content, 8, ">", length_first=True)
    elif content.startswith(b"RIFF"):
        yield from _chunks(content, 12, "<", length_first=False)
    elif content.startswith((b"II*\0", b"MM\0*")):
        yield from _entries(content)
    elif content.startswith(b"PK"):
        for match in RECORDS.finditer(content):
            yield from (match.start() + field for field in RECORD_FIELDS)
    elif content.startswith(b"BM"):
        yield from BMP_FIELDS
    elif content.startswith(b"\xff\xd8"):
        yield from _markers(content)
    else:
        yield from _dicom(content)


def _dicom(content: bytes) -> Iterator[int]:
    yield from _elements(content)
    yield from (match.start() for match in ITEMS.finditer(content))
    yield from _markers(content)


def _markers(content: bytes) -> Iterator[int]:
    for number, match in enumerate(MARKERS.finditer(content)):
        if number == MOST_MARKERS:
            return
        yield from (match.start(), match.start() + 2, match.start() + 4)


def _chunks(content: bytes, at: int, order: str, *, length_first: bool) -> Iterator[int]:
    """PNG's chunks (length, name, data, checksum) or those of RIFF (name, length, data)."""
    while at + 8 <= len(content):
        yield from (at, at + 4, at + 8)
        (size,) = struct.unpack_from(f"{order}I", content, at if length_first else at + 4)
        at += 8 + size + (4 if length_first else size % 2)


def _entries(content: bytes) -> Iterator[int]:
    """The entries of TIFF's first directory, and what they point at."""
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    yield from (4, at, at + 2)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        yield from (entry, entry + 2, entry + 4, entry + 8, entry + 12)
        yield int(struct.unpack_from("<I", content, entry + 8)[0])


def _elements(content: bytes) -> Iterator[int]:
    """Tags, values and ends of the elements of the meta information and of the data set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meta = dcmread(io.BytesIO(content), force=True, specific_tags=["Rows"]).file_meta
        start = 132 if content[128:132] == b"DICM" else 0
        yield from (128, start)
        yield from _values(content, start, "")
        if "FileMetaInformationGroupLength" in meta:
            start += 12 + int(meta.FileMetaInformationGroupLength)
        yield from _values(content, start, meta.get("TransferSyntaxUID", ""))


def _values(content: bytes, start: int, syntax: str) -> Iterator[int]:
    file = io.BytesIO(content)
    file.seek(start)
    elements = data_element_generator(
        file,
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
    )
    try:
        for element in elements:
            at = element.value_tell  # type: ignore[union-attr]
            length = getattr(element, "length", 0)
            yield from (at - 8, at - 4, at)
            if 0 <= length < len(content):
                yield at + length
    except Exception:
        # Some of the collected files are odd by intention; what was found up to there is enough.
        return
