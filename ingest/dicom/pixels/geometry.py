"""Pixels that are not square become square (PS3.3 10.7, C.7.6.3.1.7)."""

import math

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from ingest.dicom.numbers import numbers
from ingest.dicom.pixels.arrays import Array8

#: Distance between rows, then between columns; the first that is there and makes sense counts.
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
#: Ratios beyond it are mistakes in the header, and those within it no reason to resample.
MOST, LEAST = 4.0, 1.01


def pixel_height(dataset: Dataset) -> float:
    """Return how many times as high as wide a pixel is by the header; 1 where it says nothing."""
    for keyword in SPACINGS:
        pair = _pair(dataset, keyword)
        if pair is not None:
            return pair[0] / pair[1]
    return 1.0


def measured(dataset: Dataset) -> tuple[tuple[float, float] | None, str | None]:
    """Read the distance between rows and columns in mm, and where that holds; None if unknown.

    `detector`: in its plane, where everything is larger than in the patient. `patient`: corrected
    for that. `film`: of a film that was scanned. `unknown`: the header does not say where.
    """
    at_detector = _pair(dataset, "ImagerPixelSpacing")
    corrected = _pair(dataset, "PixelSpacing")
    # PS3.3 10.7.1.3: where both are there and differ, Pixel Spacing is corrected.
    if corrected is not None and at_detector is not None and corrected != at_detector:
        return corrected, "patient"
    if at_detector is not None:
        return at_detector, "detector"
    if corrected is not None:
        return corrected, "unknown"
    scanned = _pair(dataset, "NominalScannedPixelSpacing")
    return scanned, "film" if scanned is not None else None


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    """Read vertical and horizontal of a spacing or a ratio; None where it makes no sense."""
    value = numbers(dataset, keyword)
    if len(value) != 2 or value[0] is None or value[1] is None:
        return None
    vertical, horizontal = value[0], value[1]
    makes_sense = vertical > 0 and horizontal > 0 and math.isfinite(vertical / horizontal)
    return (vertical, horizontal) if makes_sense else None


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
