"""A film as samples: what a viewer puts through any window, and what its own display makes of each.

Samples rise with the grey that they are shown as, so a film with black and white swapped is told
by a negative slope, and nothing else about it need be known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from ingest.dicom.corrections.tables import table_of
from ingest.dicom.pixels.arrays import Array8, Stored
from ingest.dicom.pixels.grey import (
    Shares,
    grey_of,
    has_modality,
    is_inverse,
    modality_values,
    occurring,
    without_useless_voi,
)
from ingest.dicom.pixels.padding import is_padding

#: Samples have 16 bits at most.
MOST_SAMPLE = 2**16 - 1
Levels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The pixels of a film before any window.

    values: (rows, columns) uint8 or uint16; brighter is more. table: (highest + 1,) uint8, the grey
    of each sample as the film itself asks to be shown. slope, intercept: slope x sample + intercept
    is what the modality LUT gives; a negative slope means that low values are white. padded: sample
    0 is padding, which is black in every window.
    """

    values: Stored
    table: Array8
    slope: float = 1.0
    intercept: float = 0.0
    padded: bool = False


def samples_of(pixels: Stored, dataset: Dataset, corrections: list[str] | None = None) -> Samples:
    """The samples of a greyscale frame of 8 or 16 bits that is for presentation.

    pixels: (rows, columns), stored values. corrections: as in `grey_display`. For values that
    occur, the table is what that shows; in between, where means of pixels may lie, it goes on
    evenly.
    """
    offsets, counts, stored = occurring(pixels)
    if corrections is not None:
        corrections += without_useless_voi(stored, counts[counts > 0], dataset)
    padding = is_padding(stored, dataset)
    level, slope, intercept = _levels(stored, dataset)
    padded = bool(padding.any())
    low, high = int(level[~padding].min()), int(level[~padding].max())
    inverse = is_inverse(dataset) != (slope < 0)
    rank = (high - level if inverse else level - low) + padded
    rank = np.where(padding, 0, np.minimum(rank, MOST_SAMPLE))
    greys = grey_of(stored, counts[counts > 0], dataset)
    return Samples(
        values=_placed(offsets, counts, rank),
        table=_table(rank[~padding], greys[~padding], padded),
        slope=-slope if inverse else slope,
        intercept=intercept + slope * (high + padded if inverse else low - padded),
        padded=padded,
    )


def samples_of_shades(grey: Array8) -> Samples:
    """Return the samples of an image that has no values but its 256 shades."""
    return Samples(values=grey, table=np.arange(256, dtype=np.uint8))


def _levels(stored: Stored, dataset: Dataset) -> tuple[Levels, float, float]:
    """Whole numbers that go by value, and slope and intercept to what the modality LUT gives."""
    if not has_modality(dataset):
        return stored.astype(np.int64), 1.0, 0.0
    if table_of(dataset, "ModalityLUTSequence") is not None:
        return modality_values(stored, dataset).astype(np.int64), 1.0, 0.0
    at_zero, at_one, at_most = apply_modality_lut(np.array([0, 1, MOST_SAMPLE]), dataset)
    if not np.isfinite(at_most):
        return stored.astype(np.int64), 1.0, 0.0
    return stored.astype(np.int64), float(at_one - at_zero), float(at_zero)


def _placed(offsets: npt.NDArray[np.int32], counts: Shares, rank: Levels) -> Stored:
    """Return the sample of each pixel, in the smallest type that holds all of them."""
    kind = np.uint8 if rank.max() <= np.iinfo(np.uint8).max else np.uint16
    by_offset = np.zeros(counts.size, dtype=kind)
    by_offset[counts > 0] = rank
    samples: Stored = by_offset[offsets]
    return samples


def _table(rank: Levels, greys: Array8, padded: bool) -> Array8:
    """The grey of every sample up to the highest: interpolated where none of the film lies."""
    ranks, first = np.unique(rank, return_index=True)
    every = np.interp(np.arange(int(ranks[-1]) + 1), ranks, greys[first])
    table = np.rint(every).astype(np.uint8)
    if padded:
        table[0] = 0
    return table


def reduced(values: Stored, longest: int) -> tuple[Stored, int]:
    """Means of squares of pixels, so few that the longer side has at most `longest` of them.

    values: (rows, columns), unsigned. Returns them, and the side of the squares in pixels; those at
    the right and lower edge may reach beyond it.
    """
    side = -(-max(values.shape) // longest)
    if side <= 1:
        return values, 1
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % side), (0, -columns % side)), mode="edge")
    squares = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)
    sums = squares.sum(axis=(1, 3), dtype=np.uint64)
    return ((sums + side * side // 2) // (side * side)).astype(values.dtype), side
