"""Preprocessing from a display image to a network's input, alike for training and scoring."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

#: Raised whenever `standardise` gives other pixels; kept images of another version are made anew.
PREPROCESSING_VERSION = "1"
#: Side of the model-ready image, that of the training images.
MODEL_READY_SIZE = 224
#: Least shorter side of a film whose encoding can be read at a smaller scale.
LEAST_SIDE = 2 * MODEL_READY_SIZE
#: Percentiles of the grey values that become black and white.
EXPOSURE_WINDOW = (1.0, 99.0)

Array8 = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmView:
    """A way to see a film: framing and blur.

    zoom: factor, at least 1, by which its centre is enlarged. blur: standard deviation of a
    Gaussian blur, as a share of the film's side.
    """

    zoom: float = 1.0
    mirrored: bool = False
    blur: float = 0.0


AS_IT_IS = FilmView()


def standardise(display: Array8, size: int = MODEL_READY_SIZE) -> Array8:
    """Resize one display image to the square that is kept and that every network starts from.

    display: (rows, columns) uint8, 0 is black. Returns (size, size) uint8; the aspect ratio is
    not kept, as it is not in the training images. Raises ValueError for any other array.
    """
    if display.ndim != 2 or display.dtype != np.uint8 or 0 in display.shape:
        raise ValueError(f"no display image: {display.dtype} of shape {display.shape}")
    resized = Image.fromarray(display).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def network_input(images: Array8, size: int, view: FilmView = AS_IT_IS) -> npt.NDArray[np.float32]:
    """Bring model-ready images to one network's size, to a framing and to a common exposure.

    images: (n, side, side) uint8. Returns (n, size, size, 1) float32 in 0 to 255, the grey values
    between the percentiles of `EXPOSURE_WINDOW` stretched over the whole range.
    """
    shaped = [window_exposure(framed(image, size, view)) for image in images]
    return np.stack(shaped)[..., np.newaxis]


def framed(image: Array8, size: int, view: FilmView) -> Array8:
    """Make a view of a film at a network's size, scaled once, so that nothing is lost twice.

    image: (side, side) uint8. Returns (size, size) uint8.
    """
    side = image.shape[0]
    edge = side * (1 - 1 / view.zoom) / 2
    box = (edge, edge, side - edge, side - edge)
    film = Image.fromarray(soften(image, view.blur))
    resized = film.resize((size, size), Image.Resampling.BILINEAR, box)
    return np.asarray(ImageOps.mirror(resized) if view.mirrored else resized)


def soften(image: Array8, blur: float) -> Array8:
    """Blur a film, (side, side) uint8, by a Gaussian of so many sides as standard deviation."""
    if not blur:
        return image
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(blur * len(image))))


def reframe(image: Array8, matrix: Matrix, shift: tuple[float, float] = (0.0, 0.0)) -> Array8:
    """Move a film under an affine map about its centre; what comes into view is black.

    image: (size, size) uint8. matrix: (2, 2), from a point in the result to one in the film, both
    as (x, y) from the centre. shift: of the result, in pixels. Returns (size, size) uint8.
    """
    if np.array_equal(matrix, np.eye(2)) and shift == (0.0, 0.0):
        return image
    size = image.shape[0]
    # Pillow counts from the corner of the first pixel, not from its middle.
    centre = np.full(2, size / 2)
    offset = centre - matrix @ (centre + shift)
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = Image.fromarray(image).transform(
        (size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def window_exposure(image: Array8) -> npt.NDArray[np.float32]:
    """Stretch one image's grey values between two percentiles to 0 to 255, and clip the rest.

    image: any shape, uint8. Returns the same shape, float32; a flat image becomes black.
    """
    low, high = (_percentile(image, percent) for percent in EXPOSURE_WINDOW)
    scale = 255.0 / max(high - low, 1.0)
    table = (np.arange(256, dtype=np.float32) - np.float32(low)) * np.float32(scale)
    windowed: npt.NDArray[np.float32] = np.clip(table, np.float32(0), np.float32(255))[image]
    return windowed


def _percentile(image: Array8, percent: float) -> float:
    """As `np.percentile`, to the last bit, from the histogram: half the time."""
    counts = np.cumsum(np.bincount(image.reshape(-1), minlength=256))
    position = percent / 100 * (image.size - 1)
    below = int(position)
    low, high = (
        min(float(value), 255.0)
        for value in np.searchsorted(counts, [below, below + 1], side="right")
    )
    share = position - below
    if share < 0.5:
        return low + (high - low) * share
    return high - (high - low) * (1 - share)
