"""Exposure of a film as the networks see it, so that a change of detector or processing shows."""

import numpy as np

from models.preprocessing import Array8
from readfirst.domain import Exposure

#: Grey values so near to black or white say that the window or the detector had no more. Not 0 and
#: 255 alone: lossy encoding moves them by a little.
BLACK, WHITE = 2, 253


def measure_exposure(image: Array8) -> Exposure:
    """Measure the median grey and clipped share of a model-ready image, (side, side) uint8.

    Of the image as the networks take it: every film has one, a picture too, and what moves it can
    move a score. Exposure Index (IEC 62494-1) is in few headers, and says nothing of the window.
    """
    clipped = np.count_nonzero((image <= BLACK) | (image >= WHITE))
    return Exposure(float(np.median(image)), clipped / image.size)
