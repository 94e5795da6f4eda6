"""Padding: values that belong to no pixel of the film (PS3.3 C.7.5.1.1.2)."""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ingest.dicom.numbers import whole_number
from ingest.dicom.pixels.arrays import Stored


def is_padding(stored: Stored, dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Find the stored values that are padding, before any LUT. Returns the shape of `stored`.

    One value, or all from Pixel Padding Value to Pixel Padding Range Limit, either of which may be
    the lower. Limits that cannot be read, or that take all there is, are left aside.
    """
    value = _number(dataset, "PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, dtype=bool)
    limit = _number(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    padding = (stored >= low) & (stored <= high)
    return padding & ~padding.all()


def _number(dataset: Dataset, keyword: str) -> int | None:
    """Read a number as stored values are: some devices mix up signed and unsigned ones."""
    whole = whole_number(dataset, keyword)
    if whole is None:
        return None
    span = 1 << int(dataset.BitsAllocated)
    whole %= span
    return whole - span if dataset.PixelRepresentation == 1 and whole >= span // 2 else whole
