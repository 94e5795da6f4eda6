"""Films that end in zeros, as a file does that got its full size before its content.

Samba, Windows Explorer and some modalities give a file its size first; what is not written yet
reads as zeros.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pydicom.dataset import Dataset

from ingest.dicom.dicom_file import DicomFile, dicom_file
from ingest.dicom.numbers import numbers, positive_number, whole_number
from ingest.dicom.pixel_position import PixelData
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

CHUNK = 1024**2
#: No file ends in so many zeros by the form of its kind alone (bytes).
LEAST_ZEROS = 64
#: Behind the last byte that is not zero may stand zeros of a last item's length (PS3.5 7.5).
MARGIN = 16
#: Fewer empty rows than this share are no part that is worth to be waited for.
LEAST_SHARE = 1 / 32
#: A film may be black below this row on purpose (PS3.3 C.7.6.11, C.8.7.3).
LOWER_EDGES = ("ShutterLowerHorizontalEdge", "CollimatorLowerHorizontalEdge")
CIRCLES = (
    ("CenterOfCircularShutter", "RadiusOfCircularShutter"),
    ("CenterOfCircularCollimator", "RadiusOfCircularCollimator"),
)
POLYGONS = ("VerticesOfThePolygonalShutter", "VerticesOfThePolygonalCollimator")
#: What is so of a file however much of it is still to be written.
CERTAIN = (RefusalCode.TOO_LARGE, RefusalCode.NO_PIXEL_DATA)
#: Every attribute that is looked at in here.
TAGS = [
    *LOWER_EDGES, *(keyword for circle in CIRCLES for keyword in circle), *POLYGONS,
    "PixelPaddingValue",
]  # fmt: skip


def written_bytes(file: BinaryIO, end: int | None = None) -> int:
    """Find the offset behind the last byte that is not zero, before an end (bytes)."""
    at = file.seek(0, os.SEEK_END) if end is None else end
    while at:
        begin = max(0, at - CHUNK)
        file.seek(begin)
        if written := file.read(at - begin).rstrip(b"\0"):
            return begin + len(written)
        at = begin
    return 0


def has_more_than(path: Path, size: int) -> bool:
    """Return whether a file has bytes that are not zero behind its first ones (bytes)."""
    with path.open("rb") as file:
        return written_bytes(file) > size


@contextmanager
def open_written(path: Path) -> Iterator[DicomFile]:
    """Open a DICOM file without the zeros that it ends in, so that whoever reads on finds its end.

    Positions and its size stay those of the whole file. Raises Refused, as whatever reads it, and
    truncated where that came to what was never written: an element of which half is there has a
    value, or a length, that no file has.
    """
    with path.open("rb") as file:
        size, written = file.seek(0, os.SEEK_END), written_bytes(file)
        file.seek(0)
        if size - written < LEAST_ZEROS:
            yield dicom_file(file)
            return
        part = _Cut(file, written)
        try:
            yield dicom_file(cast(BinaryIO, part))
        except Refused as refusal:
            if part.came_to_its_end and refusal.code not in CERTAIN:
                raise Refused(RefusalCode.TRUNCATED) from refusal
            raise


def ends_in_zeros(file: BinaryIO, start: int, end: int, rows: int) -> bool:
    """Return whether the last rows of stored pixels are zeros, and more so than the first ones.

    start, end: offsets of the pixels in the file. A film whose border is black on purpose is so at
    its top as well as at its bottom.
    """
    row = max(1, (end - start) // max(1, rows))
    empty = (end - max(start, written_bytes(file, end))) // row
    if empty < max(1, rows * LEAST_SHARE):
        return False
    return empty > 2 * _empty_at_top(file, start, end) // row


def is_black_on_purpose(dataset: Dataset, pixels: PixelData, file: BinaryIO) -> bool:
    """Return whether the header says that the rows are black in which the film ends.

    Its lowest edge by Display Shutter or X-Ray Collimator (PS3.3 C.7.6.11, C.8.7.3), or a Pixel
    Padding Value of zero (C.7.5.1.1.2).
    """
    if whole_number(dataset, "PixelPaddingValue") == 0:
        return True
    rows = positive_number(dataset, "Rows", 1)
    row = max(1, pixels.length // rows)
    written = written_bytes(file, pixels.start + pixels.length) - pixels.start
    return any(edge <= -(-written // row) + 1 for edge in _lower_edges(dataset))


def _lower_edges(dataset: Dataset) -> list[int]:
    """List the last rows that are not black, the topmost row being 1."""
    edges = [positive_number(dataset, keyword, 0) for keyword in LOWER_EDGES]
    for center, radius in CIRCLES:
        if (row := positive_number(dataset, center, 0)) and (
            reach := positive_number(dataset, radius, 0)
        ):
            edges.append(row + reach)
    for keyword in POLYGONS:
        rows = [int(row) for row in numbers(dataset, keyword)[::2] if row is not None]
        edges.append(max(rows, default=0))
    return [edge for edge in edges if edge > 0]


def _empty_at_top(file: BinaryIO, start: int, end: int) -> int:
    """Count the zeros that the pixels begin with (bytes)."""
    file.seek(start)
    zeros = 0
    while chunk := file.read(min(CHUNK, end - start - zeros)):
        rest = chunk.lstrip(b"\0")
        zeros += len(chunk) - len(rest)
        if rest:
            break
    return zeros


class _Cut:
    """A file that gives few bytes behind what was written.

    came_to_its_end: whether one of these has been asked for.
    """

    def __init__(self, file: BinaryIO, written: int) -> None:
        self._file = file
        self._written = written
        self.came_to_its_end = False
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        at = self._file.tell()
        left = max(0, self._written + MARGIN - at)
        size = left if size < 0 else size
        self.came_to_its_end |= at + size > self._written
        return self._file.read(min(size, left))
