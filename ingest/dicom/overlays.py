"""Overlays of a film: drawings beside its pixels, in groups 6000 to 601E (PS3.3 C.9.2)."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ingest.dicom.dicom_file import open_dicom, read_elements
from ingest.dicom.numbers import numbers, positive_number, says_something, whole_number
from ingest.dicom.sniff import kind_of
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

Array8 = npt.NDArray[np.uint8]
#: PS3.5 7.6: the repeating groups.
GROUPS = range(0x6000, 0x6020, 2)
ROWS, COLUMNS, ORIGIN, FRAME_ORIGIN = 0x0010, 0x0011, 0x0050, 0x0051
BITS_ALLOCATED, DATA = 0x0100, 0x3000
ELEMENTS = (ROWS, COLUMNS, ORIGIN, FRAME_ORIGIN, BITS_ALLOCATED, DATA)
#: Every element that says what an overlay draws, and where.
TAGS = tuple((group << 16) + element for group in GROUPS for element in ELEMENTS)
DRAWN = 255


@dataclass(frozen=True, slots=True)
class OverlayPlane:
    """A plane: one bit for each of its pixels. top, left: its first pixel in the film, from 0."""

    rows: int
    columns: int
    top: int
    left: int
    bits: bytes


@dataclass(frozen=True, slots=True)
class Overlays:
    """The planes of a film's first frame that can be drawn, and the number of those that cannot."""

    planes: tuple[OverlayPlane, ...] = ()
    not_shown: int = 0


def overlays_of(dataset: Dataset) -> Overlays:
    """Read the planes from a data set.

    Not shown are planes within the bits of the pixels, which the standard has retired, and those
    whose size or data is broken. Planes of later frames are none of the first one.
    """
    groups = [group for group in GROUPS if says_something(dataset, _tag(group, ROWS))]
    first = [group for group in groups if _whole(dataset, group, FRAME_ORIGIN, 1) == 1]
    planes = [_plane(dataset, group) for group in first]
    drawn = tuple(plane for plane in planes if plane is not None)
    return Overlays(drawn, len(planes) - len(drawn))


def overlay_image(path: Path) -> Array8:
    """Draw all planes of a file over each other.

    Returns (rows, columns) uint8 of the film's size: 255 where a plane draws, else 0. Raises
    Refused for a file that is no DICOM, or without a size.
    """
    if kind_of(path) is not FileKind.DICOM:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "a picture has no overlay")
    with warnings.catch_warnings(), open_dicom(path) as dicom:
        # As in `ingest.dicom.header`.
        warnings.simplefilter("ignore")
        dataset = read_elements(dicom, ("Rows", "Columns", *TAGS))
        rows, columns = (positive_number(dataset, name, 0) for name in ("Rows", "Columns"))
        if not rows or not columns:
            raise Refused(RefusalCode.PIXELS_UNREADABLE, "the film states no size")
        return drawn_on(np.zeros((rows, columns), dtype=np.uint8), overlays_of(dataset))


def drawn_on(film: Array8, overlays: Overlays) -> Array8:
    """Return the picture with the planes on it; what lies beside it is left out.

    film: (rows, columns) uint8.
    """
    drawn = film.copy()
    rows, columns = film.shape
    for plane in overlays.planes:
        bits = _bits(plane)
        top, left = max(plane.top, 0), max(plane.left, 0)
        bottom, right = min(plane.top + plane.rows, rows), min(plane.left + plane.columns, columns)
        if bottom <= top or right <= left:
            continue
        part = bits[top - plane.top : bottom - plane.top, left - plane.left : right - plane.left]
        drawn[top:bottom, left:right][part == 1] = DRAWN
    return drawn


def _bits(plane: OverlayPlane) -> Array8:
    """The bits of a plane, (rows, columns), 0 or 1 (PS3.5 8.1.2: the first is the lowest)."""
    packed = np.frombuffer(plane.bits, dtype=np.uint8)
    size = plane.rows * plane.columns
    return np.unpackbits(packed, count=size, bitorder="little").reshape(plane.rows, plane.columns)


def _plane(dataset: Dataset, group: int) -> OverlayPlane | None:
    rows, columns = _whole(dataset, group, ROWS, 0), _whole(dataset, group, COLUMNS, 0)
    data = _value(dataset, group, DATA)
    allocated = _whole(dataset, group, BITS_ALLOCATED, 1)
    is_whole = isinstance(data, bytes) and 8 * len(data) >= rows * columns > 0
    if not is_whole or allocated != 1:
        return None
    top, left = _origin(dataset, group)
    return OverlayPlane(rows, columns, top, left, data)


def _origin(dataset: Dataset, group: int) -> tuple[int, int]:
    """Read Overlay Origin, from 1, as row and column from 0; the corner where it is broken."""
    match numbers(dataset, _tag(group, ORIGIN)):
        case [float(row), float(column)]:
            return int(row) - 1, int(column) - 1
    return 0, 0


def _value(dataset: Dataset, group: int, element: int) -> Any:
    try:
        data_element = dataset.get((group, element))
        return None if data_element is None else data_element.value
    except Exception:
        # As in `ingest.dicom.elements`: pydicom converts values when they are asked for.
        return None


def _whole(dataset: Dataset, group: int, element: int, otherwise: int) -> int:
    number = whole_number(dataset, _tag(group, element))
    return otherwise if number is None else number


def _tag(group: int, element: int) -> int:
    return (group << 16) + element
