"""Changes that leave the diagnosis alone: framing, exposure, sharpness. Pure, by one generator."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from models.preprocessing import Array8, reframe, window_exposure

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Strength of the changes of a film; 0 or 1 changes nothing.

    Angles in degrees; shifts, shears and sides as a share of the side of the image.
    """

    rotation: float = 0.0
    #: Largest factor by which a film is enlarged, and its inverse.
    zoom: float = 1.0
    #: Largest factor by which the width is changed against the height, and its inverse.
    stretch: float = 1.0
    shift: float = 0.0
    shear: float = 0.0
    flip: bool = False
    upside_down: bool = False
    #: Probability of a blur, and its largest standard deviation as a share of the side.
    blur: float = 0.0
    blur_radius: float = 0.008
    #: Probability of sharpening by an unsharp mask.
    sharpen: float = 0.0
    #: Probability of a partial histogram equalisation.
    equalise: float = 0.0
    #: Largest factor on the exponent of the grey values, and its inverse.
    gamma: float = 1.0
    contrast: float = 0.0
    brightness: float = 0.0
    #: Largest standard deviation of the noise, 0 to 255.
    noise: float = 0.0
    #: Probability of painting a rectangle over, and its largest side.
    erase: float = 0.0
    erased_side: float = 0.2


#: Framing, exposure and sharpness all over the place: what differs between departments.
STRONG = Augmentation(
    rotation=12.0,
    zoom=1.35,
    stretch=1.2,
    shift=0.1,
    shear=0.05,
    flip=True,
    blur=0.4,
    sharpen=0.15,
    equalise=0.2,
    gamma=1.8,
    contrast=0.3,
    brightness=30.0,
    noise=8.0,
    erase=0.3,
)


def augment(image: Array8, how: Augmentation, generator: np.random.Generator) -> Array:
    """Change one film, ready for a network.

    image: (size, size) uint8, not yet windowed. Returns (size, size) float32 in 0 to 255.
    """
    changed = change_sharpness(change_framing(image, how, generator), how, generator)
    return change_exposure(window_exposure(changed), how, generator)


def change_framing(image: Array8, how: Augmentation, generator: np.random.Generator) -> Array8:
    """Rotate, zoom, stretch, shear, shift and mirror. image: (size, size) uint8; returns the same.

    What comes into view from beyond the border is black, as outside a collimator.
    """
    angle = math.radians(generator.uniform(-how.rotation, how.rotation))
    high = _factor(how.zoom, generator)
    wide = high * _factor(how.stretch, generator)
    shear = generator.uniform(-how.shear, how.shear)
    if how.flip and generator.random() < 0.5:
        wide = -wide
    if how.upside_down and generator.random() < 0.5:
        high = -high
    across, down = generator.uniform(-how.shift, how.shift, size=2) * image.shape[0]
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos / wide, sin / wide], [-sin / high, cos / high]])
    return reframe(image, matrix @ np.array([[1.0, shear], [0.0, 1.0]]), (across, down))


def change_sharpness(image: Array8, how: Augmentation, generator: np.random.Generator) -> Array8:
    """Blur or sharpen, and equalise the histogram. image: (size, size) uint8; returns the same."""
    film = Image.fromarray(image)
    drawn = generator.random()
    if drawn < how.blur:
        radius = generator.uniform(0.2, 1.0) * how.blur_radius * image.shape[0]
        film = film.filter(ImageFilter.GaussianBlur(radius))
    elif drawn > 1 - how.sharpen:
        percent = round(generator.uniform(50, 150))
        film = film.filter(ImageFilter.UnsharpMask(radius=2, percent=percent, threshold=0))
    if generator.random() < how.equalise:
        film = Image.blend(film, ImageOps.equalize(film), generator.uniform(0.2, 0.8))
    return np.asarray(film)


def change_exposure(image: Array, how: Augmentation, generator: np.random.Generator) -> Array:
    """Change gamma, contrast and brightness, add noise, paint over. image: float32, 0 to 255."""
    gamma = _factor(how.gamma, generator)
    contrast = generator.uniform(1 - how.contrast, 1 + how.contrast)
    brightness = generator.uniform(-how.brightness, how.brightness)
    changed = 255.0 * (image / 255.0) ** np.float32(gamma)
    changed = (changed - 127.5) * np.float32(contrast) + np.float32(127.5 + brightness)
    if how.noise:
        deviation = np.float32(generator.uniform(0, how.noise))
        changed += deviation * generator.standard_normal(image.shape, dtype=np.float32)
    if generator.random() < how.erase:
        high, wide = generator.uniform(0.05, how.erased_side, size=2) * image.shape[0]
        top, left = generator.uniform(0, image.shape[0], size=2).astype(int)
        changed[top : top + int(high), left : left + int(wide)] = generator.uniform(0, 255)
    clipped: Array = np.clip(changed, np.float32(0), np.float32(255))
    return clipped


def _factor(largest: float, generator: np.random.Generator) -> float:
    """Draw a factor between the inverse of the largest and the largest, even on a scale of logs."""
    return math.exp(generator.uniform(-1, 1) * math.log(largest))
