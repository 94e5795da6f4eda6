"""Noise, blanks, gradients and geometric drawings."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from models.preprocessing import Array8

Values = npt.NDArray[np.float64]
#: Makes an image of any size; the generator decides everything about it.
ImageMaker = Callable[[np.random.Generator], Array8]
SIDE = 160


def to_grey(values: Values) -> Array8:
    """Spread any values over 0 to 255; a flat image becomes black."""
    low, high = float(values.min()), float(values.max())
    return np.round(255 * (values - low) / max(high - low, 1e-9)).astype(np.uint8)


def coloured_noise(generator: np.random.Generator, exponent: float, side: int = SIDE) -> Values:
    """Noise whose amplitude falls with the frequency to a power: 0 is white, 2 like clouds."""
    across, down = np.fft.rfftfreq(side), np.fft.fftfreq(side)
    frequency = np.hypot(down[:, np.newaxis], across[np.newaxis])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(generator.standard_normal((side, side))) / frequency**exponent
    spectrum[0, 0] = 0.0
    return np.fft.irfft2(spectrum, s=(side, side))


def noise(generator: np.random.Generator) -> Array8:
    """White noise, clouds, or grains of salt and pepper."""
    kind = generator.integers(4)
    if kind == 0:
        side = int(generator.integers(20, SIDE))
        return generator.integers(0, 256, (side, side), dtype=np.uint8)
    if kind == 1:
        share = generator.uniform(0.01, 0.5)
        drawn = generator.random((SIDE, SIDE))
        level = int(generator.integers(0, 256))
        return np.where(drawn < share / 2, 0, np.where(drawn < share, 255, level)).astype(np.uint8)
    return to_grey(coloured_noise(generator, generator.uniform(0.3, 2.5)))


def blanks(generator: np.random.Generator) -> Array8:
    """A single grey all over, or nearly: with a rim, a few specks or a little noise."""
    image = np.full((SIDE, SIDE), generator.integers(0, 256), dtype=np.int64)
    kind = generator.integers(4)
    if kind == 1:
        rim = int(generator.integers(1, 40))
        image[:rim] = image[-rim:] = generator.integers(0, 256)
        image[:, :rim] = image[:, -rim:] = image[0, 0]
    elif kind == 2:
        for top, left in generator.integers(0, SIDE - 6, (int(generator.integers(1, 6)), 2)):
            high, wide = generator.integers(1, 6, 2)
            image[top : top + high, left : left + wide] = generator.integers(0, 256)
    elif kind == 3:
        image += np.round(generator.normal(0, generator.uniform(0.5, 4), image.shape)).astype(int)
    return np.clip(image, 0, 255).astype(np.uint8)


def gradients(generator: np.random.Generator) -> Array8:
    """Smooth ramps, straight, round or wavy, and sums of them."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    total = np.zeros((SIDE, SIDE))
    for _ in range(int(generator.integers(1, 4))):
        a, b, shift = generator.uniform(-1, 1, 3)
        kind = generator.integers(3)
        if kind == 0:
            total += a * x + b * y
        elif kind == 1:
            total += a * np.hypot(x - b, y - shift)
        else:
            total += a * np.sin(generator.uniform(1, 8) * (x * b + y * shift))
    return to_grey(total)


def drawings(generator: np.random.Generator) -> Array8:
    """Rectangles, ellipses, lines and polygons, filled or not, here and there out of focus."""
    side = 2 * SIDE
    image = Image.new("L", (side, side), int(generator.integers(0, 256)))
    pen = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(1, 25))):
        corners = generator.integers(-side // 8, side + side // 8, (2, 2))
        box = [tuple(corners.min(axis=0).tolist()), tuple(corners.max(axis=0).tolist())]
        grey, width = int(generator.integers(0, 256)), int(generator.integers(1, 15))
        filled = grey if generator.random() < 0.5 else None
        shape = generator.integers(4)
        if shape == 0:
            pen.rectangle(box, fill=filled, outline=grey, width=width)
        elif shape == 1:
            pen.ellipse(box, fill=filled, outline=grey, width=width)
        elif shape == 2:
            pen.line(box, fill=grey, width=width)
        else:
            points = generator.integers(0, side, (int(generator.integers(3, 7)), 2))
            pen.polygon([tuple(point) for point in points.tolist()], fill=filled, outline=grey)
    if generator.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(generator.uniform(1, 12)))
    return np.asarray(image)


def checkerboards(generator: np.random.Generator) -> Array8:
    """Two greys in squares, bars or a grid of lines, turned by any angle."""
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = generator.uniform(0, np.pi)
    step, shift = generator.uniform(5, 60), generator.uniform(0, 60)
    along = (np.cos(angle) * x + np.sin(angle) * y + shift) / step
    across = (np.cos(angle) * y - np.sin(angle) * x + shift) / step
    kind = generator.integers(3)
    if kind == 0:
        chosen = (np.floor(along) + np.floor(across)) % 2 == 0
    elif kind == 1:
        chosen = np.floor(along) % 2 == 0
    else:
        chosen = (along % 1 < 0.15) | (across % 1 < 0.15)
    greys: Array8 = generator.integers(0, 256, 2, dtype=np.uint8)
    drawn: Array8 = greys[chosen.astype(int)]
    return drawn


def blobs(generator: np.random.Generator) -> Array8:
    """Soft bright and dark spots on a ground that varies slowly: no object in particular."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    total = generator.uniform(0, 1) * coloured_noise(generator, generator.uniform(1.2, 2.2))
    total /= max(float(np.abs(total).max()), 1e-9)
    for _ in range(int(generator.integers(1, 9))):
        left, top = generator.uniform(-1.1, 1.1, 2)
        wide, high = generator.uniform(0.05, 0.7, 2)
        spot = ((x - left) / wide) ** 2 + ((y - top) / high) ** 2
        edge = generator.uniform(1, 8)
        total += generator.uniform(-2, 2) / (1 + np.exp(np.clip(edge * (spot - 1), -50, 50)))
    return to_grey(total)


def rings(generator: np.random.Generator) -> Array8:
    """Rings about one or two centres, as of a target or of interference."""
    y, x = np.mgrid[:SIDE, :SIDE]
    total = np.zeros((SIDE, SIDE))
    for _ in range(int(generator.integers(1, 3))):
        left, top = generator.uniform(0, SIDE, 2)
        total += np.sin(np.hypot(x - left, y - top) / generator.uniform(1.5, 9))
    return to_grey(np.sign(total) if generator.random() < 0.5 else total)


KINDS: dict[str, ImageMaker] = {
    "noise": noise,
    "blanks": blanks,
    "gradients": gradients,
    "drawings": drawings,
    "checkerboards": checkerboards,
    "blobs": blobs,
    "rings": rings,
}
