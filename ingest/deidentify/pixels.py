"""The pixels of a film without anything else that may lie beside or within them."""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from ingest.deidentify.boxes import Box, darkest, painted_over
from ingest.deidentify.elements import put_numbers
from ingest.dicom.corrections.tables import MOST_ENTRIES, table_of
from ingest.dicom.numbers import whole_number
from ingest.dicom.pixels.arrays import Array8, Stored
from ingest.dicom.pixels.colour import colour_grey
from ingest.dicom.pixels.dicom import FirstFrame
from ingest.dicom.pixels.grey import grey_display
from ingest.dicom.pixels.padding import is_padding

#: Numbers by which its values are displayed.
DISPLAY = {
    "DS": ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"),
    "SS": ("PixelIntensityRelationshipSign",),
}
#: Distances of its pixels.
DISTANCES = {
    "DS": ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    "IS": ("PixelAspectRatio",),
}
TABLES = ("ModalityLUTSequence", "VOILUTSequence")


def put_pixels(dataset: Dataset, frame: FirstFrame, masked: Sequence[Box]) -> None:
    """Write the first frame as it is stored; colours as the greys that they are shown as."""
    pixels, header = frame.pixels, frame.dataset
    put_numbers(dataset, header, DISTANCES)
    if frame.is_colour or pixels.itemsize > 2:
        grey = colour_grey(pixels, header) if frame.is_colour else grey_display(pixels, header, [])
        _put_grey(dataset, painted_over(grey, masked, 0))
        return
    pixels = _without_hidden_values(pixels, header)
    if masked:
        pixels = painted_over(pixels, masked, darkest(pixels, grey_display(pixels, header, [])))
    signed = pixels.dtype.kind == "i"
    bits = max(int(header.BitsStored), _bits(pixels))
    _put(dataset, pixels, min(bits, 8 * pixels.itemsize), signed=signed)
    is_inverse = header.PhotometricInterpretation == "MONOCHROME1"
    dataset.PhotometricInterpretation = "MONOCHROME1" if is_inverse else "MONOCHROME2"
    put_numbers(dataset, header, DISPLAY)
    put_numbers(dataset, header, {"SS" if signed else "US": ("PixelPaddingValue",)})
    for keyword in TABLES:
        _put_table(dataset, header, keyword)


def _without_hidden_values(pixels: Stored, header: Dataset) -> Stored:
    """Let all padding be of one value: a range of values may hold what is displayed nowhere."""
    padding = is_padding(pixels, header)
    if not padding.any():
        return pixels
    value = pixels[padding].min()
    if whole_number(header, "PixelPaddingRangeLimit") is not None:
        header.PixelPaddingValue = int(value)
    return np.where(padding, value, pixels)


def _bits(pixels: Stored) -> int:
    """The bits that the values need."""
    low, high = int(pixels.min()), int(pixels.max())
    return max(high.bit_length(), (-low - 1).bit_length()) + 1 if low < 0 else high.bit_length()


def _put_grey(dataset: Dataset, grey: Array8) -> None:
    _put(dataset, grey, 8, signed=False)
    dataset.PhotometricInterpretation = "MONOCHROME2"
    # Window, tables and the rest belong to the values that are no more.
    dataset.PresentationLUTShape = "IDENTITY"
    # Of all greys, so that each stays what it is (PS3.3 C.11.2.1.2.1).
    dataset.WindowCenter, dataset.WindowWidth = "128", "256"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    for keyword in ("VOILUTFunction", "PixelIntensityRelationship"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.SOPClassUID = SecondaryCaptureImageStorage


def _put(dataset: Dataset, pixels: Stored, bits: int, *, signed: bool) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(signed)
    content = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"


def _put_table(dataset: Dataset, header: Dataset, keyword: str) -> None:
    table = table_of(header, keyword)
    if table is None:
        return
    item = Dataset()
    entries, first = len(table.entries) % MOST_ENTRIES, table.first % MOST_ENTRIES
    item.add_new("LUTDescriptor", "US", [entries, first, table.declared_bits])
    item.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())
    if keyword == "ModalityLUTSequence":
        item.ModalityLUTType = "US"
    setattr(dataset, keyword, [item])
