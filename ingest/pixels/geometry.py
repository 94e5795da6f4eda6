"""Pixels that are not square become square (PS3.3 10.7, C.7.6.3.1.7)."""

import math

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ingest.pixels.arrays import Array8

#: Distance between rows, then between columns; the first that is there and makes sense counts.
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
#: Ratios beyond it are mistakes in the header, and those within it no reason to resample.
MOST, LEAST = 4.0, 1.01


def pixel_height(dataset: Dataset) -> float:
    """How many times as high as wide a pixel is, as the header says; 1 where it says nothing."""
    for keyword in SPACINGS:
        value = dataset.get(keyword)
        if not isinstance(value, MultiValue) or len(value) != 2:
            continue
        vertical, horizontal = (float(each) for each in value)
        if vertical > 0 and horizontal > 0 and math.isfinite(vertical / horizontal):
            return vertical / horizontal
    return 1.0


def with_square_pixels(grey: Array8, height: float) -> Array8:
    """Stretch the side along which the pixels are longer, so that nothing is lost.

    grey: (rows, columns) uint8. height: of a pixel, in widths. Returns another number of rows or
    of columns.
    """
    if not LEAST < max(height, 1 / height) <= MOST:
        return grey
    rows, columns = grey.shape
    size = (columns, round(rows * height)) if height > 1 else (round(columns / height), rows)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
