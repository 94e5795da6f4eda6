"""Colours become luma."""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from ingest.dicom.pixels.arrays import Array8, Stored, stretch

#: ITU-R BT.601, as Pillow weighs red, green and blue.
LUMA = (0.299, 0.587, 0.114)
#: PS3.3 C.7.6.3.1.2: what pydicom gives as red, green and blue. HSV, ARGB and CMYK are retired.
COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"}


def colour_grey(pixels: Stored, dataset: Dataset) -> Array8:
    """The luma of a frame in colour, which has neither window nor polarity.

    pixels: (rows, columns, 3), red, green and blue; or (rows, columns), places in a palette.
    Raises ValueError for a photometric interpretation that is unknown.
    """
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(pixels, dataset)
        return stretch(to_grey(colours), (0, np.iinfo(colours.dtype).max))
    if dataset.PhotometricInterpretation not in COLOURS:
        raise ValueError("unknown photometric interpretation")
    return stretch(to_grey(pixels), (0, 2 ** int(dataset.BitsStored) - 1))


def to_grey(colours: Stored) -> npt.NDArray[np.float64]:
    """Luma of RGB. colours: (rows, columns, 3 or 4); returns (rows, columns)."""
    grey: npt.NDArray[np.float64] = colours[..., :3].astype(np.float64) @ np.array(LUMA)
    return grey
