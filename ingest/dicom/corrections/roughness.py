"""The test by which a way to read pixels is proven: rows of a picture are like their neighbours."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: Pairs of rows that are looked at, evenly over the picture: enough to tell, and quick.
PAIRS, COLUMNS = 64, 512
#: Fewer rows or columns prove nothing.
LEAST_SIDE = 16
#: A picture is below, in most cases far below; pixels in a wrong order are near 1.
ROUGH = 0.5

Pixels = npt.NDArray[Any]


def adjacent_rows(pixels: Pixels) -> Pixels:
    """Return some rows, and for each the one below: (2, pairs, columns, …), of the same type.

    Of wide pictures, columns are left out.
    """
    at = np.unique(np.linspace(0, max(len(pixels) - 2, 0), PAIRS).astype(int))
    some = slice(None, None, max(1, pixels.shape[1] // COLUMNS))
    return np.stack([pixels[at, some], pixels[np.minimum(at + 1, len(pixels) - 1), some]])


def roughness(pixels: Pixels) -> float:
    """Return how much rows differ from the next one, in differences of any two pixels.

    pixels: (rows, columns) or (rows, columns, samples). Returns 0 for rows that are all the same,
    about 1 for noise; 1 also for what is too small, or so even, that it proves nothing.
    """
    rows, columns = pixels.shape[:2]
    if min(rows, columns) < LEAST_SIDE:
        return 1.0
    above, below = adjacent_rows(pixels).astype(np.float64)
    # Any two: half of the rows and a third of the columns apart.
    other = np.roll(above, (len(above) // 2, above.shape[1] // 3), axis=(0, 1))
    apart = float(np.abs(above - other).mean())
    return float(np.abs(above - below).mean()) / apart if apart else 1.0
