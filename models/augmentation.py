"""Changes that leave the diagnosis alone: geometry, exposure, noise. Pure, by one generator."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from models.preprocessing import Array8, window_exposure

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How strongly films are changed. Angles in degrees, shifts as a share of the side."""

    rotation: float = 10.0
    zoom: float = 0.15
    shift: float = 0.08
    stretch: float = 0.10
    flip: bool = True
    #: Largest factor on the exponent of the grey values, and its inverse.
    gamma: float = 1.6
    contrast: float = 0.25
    brightness: float = 25.0
    #: Probability of a slight blur, and largest standard deviation of the noise (0 to 255).
    blur: float = 0.3
    noise: float = 6.0


def augment(image: Array8, how: Augmentation, generator: np.random.Generator) -> Array:
    """One changed film, ready for a network.

    image: (size, size) uint8, not yet windowed. Returns (size, size) float32 in 0 to 255.
    """
    return change_exposure(window_exposure(change_geometry(image, how, generator)), how, generator)


def change_geometry(image: Array8, how: Augmentation, generator: np.random.Generator) -> Array8:
    """Rotate, zoom, stretch, shift, mirror, blur. image: (size, size) uint8; returns the same."""
    size = image.shape[0]
    angle = math.radians(generator.uniform(-how.rotation, how.rotation))
    zoom = generator.uniform(1 - how.zoom, 1 + how.zoom)
    wide = zoom * generator.uniform(1 - how.stretch, 1 + how.stretch)
    if how.flip and generator.random() < 0.5:
        wide = -wide
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos / wide, sin / wide], [-sin / zoom, cos / zoom]])
    centre = np.full(2, (size - 1) / 2)
    shift = generator.uniform(-how.shift, how.shift, size=2) * size
    # Pillow asks for the place in the source of each place in the result.
    offset = centre - matrix @ (centre + shift)
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    changed = Image.fromarray(image).transform(
        (size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    if generator.random() < how.blur:
        changed = changed.filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 1.0)))
    return np.asarray(changed)


def change_exposure(image: Array, how: Augmentation, generator: np.random.Generator) -> Array:
    """Change gamma, contrast and brightness, and add noise. image: float32 in 0 to 255."""
    gamma = math.exp(generator.uniform(-1, 1) * math.log(how.gamma))
    contrast = generator.uniform(1 - how.contrast, 1 + how.contrast)
    brightness = generator.uniform(-how.brightness, how.brightness)
    changed = 255.0 * (image / 255.0) ** gamma
    changed = (changed - 127.5) * contrast + 127.5 + brightness
    noise = generator.normal(0, generator.uniform(0, how.noise), size=image.shape)
    return np.clip(changed + noise, 0, 255).astype(np.float32)
