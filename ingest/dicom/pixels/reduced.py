"""Frames decoded at a smaller scale, which takes a part of the time of all their pixels."""

import math
from io import BytesIO

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import UID, JPEGBaseline8Bit

from ingest.dicom.pixels.arrays import Stored
from ingest.dicom.syntaxes import HIGH_THROUGHPUT_JPEG_2000, JPEG_2000

#: ISO 15444-1 A.4.1 and A.5.1: start of a codestream, and of its image and tile size.
CODESTREAM_START = b"\xff\x4f\xff\x51"
#: ISO 15444-1 A.6.1 and A.4.2: the markers of the coding style and of the first tile part.
COD, SOT = b"\xff\x52", b"\xff\x90"


def reduced_pixels(dataset: Dataset, syntax: UID, least_side: int) -> Stored | None:
    """The first frame at a scale at which its shorter side still has `least_side` pixels.

    Returns (rows, columns) in the range of the stored values; None where only a full decode will
    do: another encoding, colour, signed values, or padding, whose edge would be blurred into
    values that mean something else; or a stream that is odd, or of another size than its header
    says, over which the full decode has the last word.
    """
    side = min(int(dataset.Rows), int(dataset.Columns))
    if side < 2 * least_side or not _is_plain(dataset):
        return None
    try:
        return _reduced(dataset, syntax, least_side, side // least_side)
    except Exception:
        # Pillow raises many kinds for broken streams (OSError, SyntaxError, ValueError).
        return None


def _reduced(dataset: Dataset, syntax: UID, least_side: int, factor: int) -> Stored | None:
    size = (int(dataset.Columns), int(dataset.Rows))
    if syntax == JPEGBaseline8Bit and dataset.BitsAllocated == 8:
        return _jpeg(_first_frame(dataset), size, least_side)
    if syntax in JPEG_2000 + HIGH_THROUGHPUT_JPEG_2000:
        return _jpeg_2000(_first_frame(dataset), size, factor)
    return None


def _is_plain(dataset: Dataset) -> bool:
    return (
        dataset.SamplesPerPixel == 1
        and dataset.PixelRepresentation == 0
        and "PixelPaddingValue" not in dataset
        and dataset.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")
    )


def _first_frame(dataset: Dataset) -> bytes:
    return get_frame(dataset.PixelData, 0, number_of_frames=int(dataset.get("NumberOfFrames") or 1))


def _jpeg(frame: bytes, size: tuple[int, int], least_side: int) -> Stored | None:
    with Image.open(BytesIO(frame), formats=["JPEG"]) as image:
        if image.mode != "L" or image.size != size:
            return None
        image.draft(None, (least_side, least_side))
        return np.asarray(image)


def _jpeg_2000(frame: bytes, size: tuple[int, int], factor: int) -> Stored | None:
    """Read the only component at a lower resolution level (ISO 15444-1 B.5), by OpenJPEG."""
    if not frame.startswith(CODESTREAM_START) or len(frame) < 48:
        return None
    # A.5.1: the number of components, and of the first its precision less one, or 128 if signed.
    components, precision = int.from_bytes(frame[40:42]), frame[42] + 1
    most = min(int(math.log2(factor)), decomposition_levels(frame))
    with Image.open(BytesIO(frame), formats=["JPEG2000"]) as image:
        levels = [n for n in range(1, most + 1) if all(_rounds_up(s, n) for s in image.size)]
        if image.size != size or components != 1 or precision > 16 or not levels:
            return None
        image.reduce = levels[-1]  # type: ignore[assignment,method-assign]
        pixels = np.asarray(image)
    # Pillow moves values up to the top of 8 or 16 bits.
    return pixels >> (8 * pixels.itemsize - precision)


def _rounds_up(side: int, level: int) -> bool:
    """Return whether Pillow, which rounds, gets the side of the standard, which rounds up."""
    part = 1 << level
    return -(-side // part) == (side + part // 2) // part


def decomposition_levels(codestream: bytes) -> int:
    """Count how often a codestream halves its image (ISO 15444-1 A.6.1); 0 where it is not said."""
    at = 2
    while at + 10 <= len(codestream) and codestream[at : at + 2] != SOT:
        if codestream[at : at + 2] == COD:
            return codestream[at + 9]
        at += 2 + int.from_bytes(codestream[at + 2 : at + 4])
    return 0
