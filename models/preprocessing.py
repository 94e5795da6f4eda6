"""From a display image to the input of a network: one way for training and for scoring."""

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Raised whenever `standardise` gives other pixels; kept images of another version are made anew.
PREPROCESSING_VERSION = "1"
#: Side of the model-ready image, that of the training images.
MODEL_READY_SIZE = 224
#: Percentiles of the grey values that become black and white.
EXPOSURE_WINDOW = (1.0, 99.0)

Array8 = npt.NDArray[np.uint8]


def standardise(display: Array8, size: int = MODEL_READY_SIZE) -> Array8:
    """Resize one display image to the square that is kept and that every network starts from.

    display: (rows, columns) uint8, 0 is black. Returns (size, size) uint8; the aspect ratio is
    not kept, as it is not in the training images. Raises ValueError for any other array.
    """
    if display.ndim != 2 or display.dtype != np.uint8 or 0 in display.shape:
        raise ValueError(f"no display image: {display.dtype} of shape {display.shape}")
    return _resized(display, size)


def network_input(images: Array8, size: int) -> npt.NDArray[np.float32]:
    """Bring model-ready images to one network's size and to a common exposure.

    images: (n, side, side) uint8. Returns (n, size, size, 1) float32 in 0 to 255, the grey values
    between the percentiles of `EXPOSURE_WINDOW` stretched over the whole range.
    """
    shaped = [window_exposure(_resized(image, size)) for image in images]
    return np.stack(shaped)[..., np.newaxis]


def window_exposure(image: Array8) -> npt.NDArray[np.float32]:
    """Stretch one image's grey values between two percentiles to 0 to 255, and clip the rest.

    image: any shape, uint8. Returns the same shape, float32; a flat image becomes black.
    """
    low, high = np.percentile(image, EXPOSURE_WINDOW)
    scale = 255.0 / max(high - low, 1.0)
    stretched = (image.astype(np.float32) - np.float32(low)) * np.float32(scale)
    windowed: npt.NDArray[np.float32] = np.clip(stretched, np.float32(0), np.float32(255))
    return windowed


def _resized(image: Array8, size: int) -> Array8:
    if image.shape == (size, size):
        return image
    resized = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized)
