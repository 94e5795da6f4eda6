"""A frame of a file for another viewer: as it is stored, or as plain values."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from ingest.dicom.codestreams import codestream_of
from ingest.dicom.dicom_file import DicomFile, open_dicom, read_elements, transfer_syntax
from ingest.dicom.numbers import positive_number
from ingest.dicom.pixel_position import (
    SEQUENCE_END,
    PixelData,
    PixelForm,
    locate_pixels,
    native_bytes,
)
from ingest.dicom.pixels.dicom import first_frame
from ingest.dicom.syntaxes import is_encapsulated
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

KEYWORDS = (
    "SOPClassUID", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated",
    "PhotometricInterpretation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame. frames: of the file. content: empty where it has no such frame."""

    frames: int
    transfer_syntax_uid: str
    content: bytes


def stored_frame(path: Path, number: int) -> StoredFrame:
    """Read a frame, of which the first is 1, as it is stored.

    What is not compressed is given in little endian, as Explicit VR Little Endian (PS3.18 8.7.3).
    Raises Refused as `ingest.dicom.header.read_header`.
    """
    with warnings.catch_warnings(), open_dicom(path) as dicom:
        # As in `ingest.dicom.header`.
        warnings.simplefilter("ignore")
        dataset = read_elements(dicom, KEYWORDS)
        position = locate_pixels(dicom, dataset)
        frames = positive_number(dataset, "NumberOfFrames", 1)
        if number > frames:
            return StoredFrame(frames, ExplicitVRLittleEndian, b"")
        if position.form is PixelForm.NATIVE:
            content = _native(dicom, dataset, position, number)
            return StoredFrame(frames, ExplicitVRLittleEndian, content)
        content = _compressed(dicom.file, position, number, frames)
        return StoredFrame(frames, _true_syntax(content, transfer_syntax(dicom, dataset)), content)


def plain_frame(path: Path) -> StoredFrame:
    """Decode the first frame to plain values in little endian, of as many bits as are allocated.

    Raises Refused: in colour, and where the frame is not what the header says; and as
    `ingest.dicom.pixels.dicom.first_frame`.
    """
    with warnings.catch_warnings(), open_dicom(path) as dicom:
        warnings.simplefilter("ignore")
        header = read_elements(dicom, KEYWORDS)
        frame = first_frame(path)
    pixels = frame.pixels
    size = positive_number(header, "Rows", 0), positive_number(header, "Columns", 0)
    bits = positive_number(header, "BitsAllocated", 0)
    if frame.is_colour or pixels.shape != size or pixels.itemsize * 8 != bits:
        detail = "only frames of grey that fit their header are decoded"
        raise Refused(RefusalCode.PIXELS_UNREADABLE, detail)
    little = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    return StoredFrame(frame.frames, ExplicitVRLittleEndian, little.tobytes())


def _native(dicom: DicomFile, dataset: FileDataset, position: PixelData, number: int) -> bytes:
    dataset.NumberOfFrames = 1
    size = native_bytes(dataset)
    at = (number - 1) * size
    if at + size > position.length:
        raise Refused(RefusalCode.TRUNCATED)
    dicom.file.seek(position.start + at)
    content = dicom.file.read(size)
    bits = positive_number(dataset, "BitsAllocated", 8)
    if transfer_syntax(dicom, dataset) == ExplicitVRBigEndian and (
        bits == 16 or position.vr == "OW"
    ):
        # PS3.5 8.1: words of two bytes, even where a value has one.
        even = content + b"\0" * (len(content) % 2)
        return np.frombuffer(even, dtype=">u2").astype("<u2").tobytes()[: len(content)]
    return content


def _compressed(file: BinaryIO, position: PixelData, number: int, frames: int) -> bytes:
    file.seek(position.start)
    content = file.read(position.length)
    if position.form is PixelForm.BARE:
        return content
    fragments = content + SEQUENCE_END + bytes(4)
    try:
        return get_frame(fragments, number - 1, number_of_frames=frames)
    except (ValueError, IndexError, EOFError) as error:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "its frames cannot be told apart") from error


def _true_syntax(frame: bytes, declared: UID) -> str:
    """The syntax of a compressed frame: its own, where the header says another."""
    codestream = codestream_of(frame)
    if is_encapsulated(declared) and (codestream is None or declared in codestream.syntaxes):
        return str(declared)
    if codestream is None:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "fragments of an unknown encoding")
    return str(codestream.syntaxes[0])
