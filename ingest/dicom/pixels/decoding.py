"""The stored values of the first frame, by transfer syntax."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit, JPEGLSLossless, JPEGLSNearLossless

from ingest.dicom.codestreams import LOSSLESS, first_codestream
from ingest.dicom.corrections.values import with_true_bits, with_true_sign
from ingest.dicom.pixels.arrays import Stored
from ingest.dicom.pixels.reduced import reduced_pixels
from ingest.dicom.syntaxes import HIGH_THROUGHPUT_JPEG_2000, JPEG_2000

#: Their codestreams say themselves how many bits a value has, and pydicom follows them.
SELF_DESCRIBING = (*JPEG_2000, *HIGH_THROUGHPUT_JPEG_2000, JPEGLSLossless, JPEGLSNearLossless)


def stored_pixels(dataset: Dataset, least_side: int | None = None) -> tuple[Stored, list[str]]:
    """The first frame: (rows, columns), or (rows, columns, 3) as RGB in colour.

    least_side: pixels that the shorter side must keep where the encoding can be read at a smaller
    scale; None decodes every pixel. Returns also what of its bits and its sign was set right in
    the data set, because the values prove it. Raises whatever the decoder raises.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    reduced = None if least_side is None else reduced_pixels(dataset, syntax, least_side)
    if reduced is not None:
        return reduced, []
    if syntax == JPEGExtended12Bit and dataset.BitsAllocated == 16:
        return _gdcm_pixels(dataset), []
    if syntax in SELF_DESCRIBING:
        return pixel_array(dataset, index=0), []
    pixels = _allocated_pixels(dataset, syntax)
    corrections = with_true_bits(pixels, dataset)
    pixels = significant(pixels, int(dataset.BitsStored), int(dataset.HighBit))
    pixels, of_sign = with_true_sign(pixels, dataset)
    return pixels, corrections + of_sign


def _allocated_pixels(dataset: Dataset, syntax: str) -> Stored:
    """All bits that are allocated, or that a lossless JPEG has, whatever is said to be stored."""
    bits = int(dataset.BitsStored), int(dataset.HighBit)
    frame = first_codestream(dataset.PixelData) if syntax in LOSSLESS else None
    if frame is not None and bits[0] < frame.bits <= int(dataset.BitsAllocated):
        # Its decoder would drop the others.
        dataset.BitsStored, dataset.HighBit = frame.bits, frame.bits - 1
    try:
        return pixel_array(dataset, index=0, correct_unused_bits=False)
    finally:
        dataset.BitsStored, dataset.HighBit = bits


def significant(pixels: Stored, bits_stored: int, high_bit: int) -> Stored:
    """Drop the bits that belong to no value, where overlays may be (PS3.5 8.1.1, 8.1.2).

    pixels: any shape, whole numbers. Returns the same shape; the sign is that of the type.
    """
    allocated = 8 * pixels.itemsize
    above, unused = allocated - 1 - high_bit, allocated - bits_stored
    if unused <= 0 or not 0 <= above <= unused:
        return pixels
    kept: Stored = np.right_shift(np.left_shift(pixels, above), unused)
    return kept


def _gdcm_pixels(dataset: Dataset) -> Stored:
    """12-bit extended JPEG, which pydicom hands to no decoder, by GDCM itself."""
    import gdcm

    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(get_frame(dataset.PixelData, 0, number_of_frames=1))
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, dataset.BitsStored, dataset.BitsStored - 1, 0))
    # GDCM's binding gives bytes as text.
    buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(buffer, dtype="<u2").reshape(dataset.Rows, dataset.Columns)
