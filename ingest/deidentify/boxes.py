"""Boxes on a film, and the painting over of what is in them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.dicom.pixels.arrays import Array8, Stored


@dataclass(frozen=True, slots=True)
class Box:
    """Rows and columns of a film in pixels, from the first one on and up to the last, left out."""

    top: int
    left: int
    bottom: int
    right: int


def painted_over(pixels: Stored, boxes: Sequence[Box], value: int) -> Stored:
    """Return the pixels with one value in all boxes. pixels: (rows, columns, …), any type."""
    if not boxes:
        return pixels
    painted = pixels.copy()
    for box in boxes:
        painted[box.top : box.bottom, box.left : box.right] = value
    return painted


def darkest(pixels: Stored, grey: Array8) -> int:
    """Return a stored value that is displayed darkest. grey: the display of the same pixels."""
    row, column = np.unravel_index(int(grey.argmin()), grey.shape)
    return int(pixels[row, column])
