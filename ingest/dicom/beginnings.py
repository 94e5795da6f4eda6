"""A film and its own beginning, of which the rest was never written and reads as zeros."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ingest.dicom.dicom_file import open_dicom, read_elements, transfer_syntax
from ingest.dicom.numbers import positive_number
from ingest.dicom.pixel_position import locate_pixels
from ingest.dicom.pixels.display import stored_values
from ingest.dicom.sniff import kind_of
from ingest.dicom.zero_tail import CHUNK, written_bytes
from readfirst.domain import FileKind

#: What two films of one size have alike.
SIZE = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames")
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def is_beginning(path: Path, whole: Path) -> bool:
    """Return whether the stored pixels of a film are those of another, and then only zeros.

    path: of a film whose pixels are stored as they are; an encoded one says itself where it ends.
    whole: of a film in any encoding, with more behind that. Raises Refused.
    """
    if kind_of(path) is not FileKind.DICOM or kind_of(whole) is not FileKind.DICOM:
        return False
    with open_dicom(path) as part:
        dataset = read_elements(part, SIZE)
        pixels = locate_pixels(part, dataset)
        if transfer_syntax(part, dataset) not in NATIVE or _size(whole) != _size(path):
            return False
        written = max(0, written_bytes(part.file, pixels.start + pixels.length) - pixels.start)
        part.file.seek(pixels.start)
        is_more = False
        for chunk in _stored_bytes(whole):
            beginning = part.file.read(len(chunk))
            known = min(written, len(chunk))
            if beginning[:known] != chunk[:known]:
                return False
            is_more = is_more or any(chunk[known:])
            written -= known
    return is_more


def _size(path: Path) -> list[int]:
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, SIZE)
        return [positive_number(dataset, keyword, 1) for keyword in SIZE]


def _stored_bytes(path: Path) -> Iterator[bytes]:
    """Give the stored pixels of a film in pieces, little endian, decoded where they are encoded."""
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, SIZE)
        pixels = locate_pixels(dicom, dataset)
        if transfer_syntax(dicom, dataset) in NATIVE:
            dicom.file.seek(pixels.start)
            for at in range(0, pixels.length, CHUNK):
                yield dicom.file.read(min(CHUNK, pixels.length - at))
            return
    values = np.ascontiguousarray(stored_values(path)).reshape(-1).view(np.uint8)
    for at in range(0, values.size, CHUNK):
        yield values[at : at + CHUNK].tobytes()
