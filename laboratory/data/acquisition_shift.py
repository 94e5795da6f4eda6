"""Simulated acquisition shift: films as other departments would have taken them.

The training films come from one hospital. What differs elsewhere first is how tightly the chest is
framed, how sharp the film is and which grey scale it has; each function makes one such difference.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from models.preprocessing import Array8, reframe

AcquisitionShift = Callable[[Array8], Array8]


def _framed(zoom: float = 1.0, width: float = 1.0) -> AcquisitionShift:
    matrix = np.diag([1 / (zoom * width), 1 / zoom])
    return lambda image: reframe(image, matrix)


def _soft(image: Array8) -> Array8:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(1.5)))


def _hard(image: Array8) -> Array8:
    mask = ImageFilter.UnsharpMask(radius=2, percent=150, threshold=0)
    return np.asarray(Image.fromarray(image).filter(mask))


def _exposed(gamma: float) -> AcquisitionShift:
    table = np.round(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return lambda image: table[image]


#: By name. Each takes and gives one film, (size, size) uint8.
ACQUISITIONS: dict[str, AcquisitionShift] = {
    "as it is": lambda image: image,
    "tight": _framed(zoom=1.2),
    "loose": _framed(zoom=0.85),
    "narrow": _framed(width=0.87),
    "wide": _framed(width=1.15),
    "soft": _soft,
    "hard": _hard,
    "light": _exposed(0.6),
    "dark": _exposed(1.6),
}


def acquired(images: Array8, name: str) -> Array8:
    """Change every film to one acquisition. images: (n, size, size) uint8; returns the same."""
    return np.stack([ACQUISITIONS[name](image) for image in images])
