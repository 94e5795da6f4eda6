"""Black borders of collimators and shutters are left out."""

import numpy as np
import numpy.typing as npt

from ingest.dicom.pixels.arrays import Array8

#: Grey up to which a pixel is black: lossy encodings leave black a little uneven.
BLACK = 8
#: Share of a row or column that must be black for it to belong to a border: all but a marker.
BLACK_SHARE = 0.98
#: Narrower borders, as shares of the side, change the framing less than films differ anyway.
LEAST_BORDER = 0.05
#: A border ends in an edge: behind it, within this share of the side …
EDGE_DEPTH = 0.02
#: … no more than half of the pixels are dark. Air beside a chest fades instead.
EDGE_DARK, EDGE_DARK_SHARE = 24, 0.5
#: What is left must have this share of each side; else nothing is cut, since it may be no border.
LEAST_LEFT = 0.3

Bools = npt.NDArray[np.bool_]


def without_borders(grey: Array8) -> Array8:
    """Cut off borders of nothing but black that end in a straight edge; never what shows anything.

    grey: (rows, columns) uint8, 0 is black. Returns a part of it, or all of it.
    """
    top, bottom, left, right = within_borders(grey)
    return grey[top:bottom, left:right]


def within_borders(grey: Array8) -> tuple[int, int, int, int]:
    """Find the first and last row, and first and last column, of a film within its borders."""
    black = grey <= BLACK
    top, bottom = _extent(black)
    left, right = _extent(black[top:bottom].T)
    rows, columns = grey.shape
    if bottom - top < LEAST_LEFT * rows or right - left < LEAST_LEFT * columns:
        return 0, rows, 0, columns
    dark = grey[top:bottom, left:right] <= EDGE_DARK
    top = top if _is_border(top, rows, dark) else 0
    bottom = bottom if _is_border(rows - bottom, rows, dark[::-1]) else rows
    left = left if _is_border(left, columns, dark.T) else 0
    right = right if _is_border(columns - right, columns, dark.T[::-1]) else columns
    return top, bottom, left, right


def _extent(black: Bools) -> tuple[int, int]:
    """Find the rows between which there is anything but black; (0, 0) if there is nothing."""
    lit = np.flatnonzero(black.mean(axis=1) < BLACK_SHARE) if black.size else np.empty(0, int)
    return (int(lit[0]), int(lit[-1]) + 1) if lit.size else (0, 0)


def _is_border(width: int, side: int, dark: Bools) -> bool:
    """Return whether so many black rows end in an edge.

    dark: in the rows behind it, from it onwards.
    """
    depth = max(1, round(EDGE_DEPTH * side))
    edge = dark[depth // 2 : depth // 2 + depth]
    return width >= LEAST_BORDER * side and bool(edge.mean() <= EDGE_DARK_SHARE)
