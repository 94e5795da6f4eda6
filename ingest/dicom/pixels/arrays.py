"""The arrays that the rules of this package take and give."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: A grey image: (rows, columns) uint8, 0 is black.
Array8 = npt.NDArray[np.uint8]
#: Stored values: (rows, columns), or (rows, columns, 3) in colour.
Stored = npt.NDArray[Any]


def stretch(values: npt.NDArray[np.float64], bounds: tuple[float, float]) -> Array8:
    """Map bounds to 0 and 255, and clip what lies outside. Equal bounds give black."""
    low, high = bounds
    scale = 255.0 / (high - low) if high != low else 0.0
    return np.clip(np.rint((values - low) * scale), 0, 255).astype(np.uint8)
