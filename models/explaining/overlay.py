"""Heat maps and superpixels laid over a film. The maps are brought to the film's size."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.explaining.arrays import HeatMap
from models.explaining.lime import Segments, Weights
from models.preprocessing import Array8

#: Nine colours of "plasma" (Smith and van der Walt 2015, CC0), heat 0 to 1 in even steps: even to
#: the eye, and told apart by the colour-blind, as its lightness only rises.
COLOURS = (
    (13, 8, 135),
    (76, 2, 161),
    (126, 3, 168),
    (170, 35, 149),
    (204, 71, 120),
    (230, 108, 92),
    (248, 149, 64),
    (253, 197, 39),
    (240, 249, 33),
)
#: For and against pneumonia: orange and blue that the colour-blind tell apart (Okabe and Ito 2008).
FOR = (230, 159, 0)
AGAINST = (0, 114, 178)
#: Tint of the strongest superpixel, 0 to 1.
TINT = 0.35
#: An outline is as wide as the film's shorter side divided by this, one pixel at least.
OUTLINE = 250

Colour = npt.NDArray[np.float32]


def painted(film: Array8, heat: HeatMap, opacity: float = 0.6) -> Array8:
    """A film under its heat map; where the heat is low the film shows through.

    film: (rows, columns) uint8. heat: (224, 224) or any other size, 0 to 1. opacity: of the
    hottest place, 0 to 1; elsewhere it falls with the heat. Returns (rows, columns, 3) uint8.
    """
    if not 0 <= opacity <= 1:
        raise ValueError("an opacity lies within 0 and 1")
    rows, columns = film.shape
    resized = Image.fromarray(heat.astype(np.float32)).resize(
        (columns, rows), Image.Resampling.BILINEAR
    )
    values = np.clip(np.asarray(resized), 0, 1)
    return _rounded(_blended(_three(film), coloured(values), opacity * values))


def outlined(film: Array8, segments: Segments, weights: Weights, strongest: int = 5) -> Array8:
    """A film with its strongest superpixels outlined and tinted: orange for, blue against.

    film: (rows, columns) uint8. segments: (224, 224), for each pixel the number of its superpixel.
    weights: (k,). strongest: how many, by the size of their weights; those of no weight are left
    out. The tint follows the weight. Returns (rows, columns, 3) uint8.
    """
    from scipy.ndimage import binary_erosion

    rows, columns = film.shape
    areas = np.asarray(
        Image.fromarray(segments.astype(np.int32)).resize((columns, rows), Image.Resampling.NEAREST)
    )
    width = max(1, round(min(rows, columns) / OUTLINE))
    picture, top = _three(film), float(np.abs(weights).max(initial=0))
    for number in strongest_first(weights)[:strongest]:
        colour = np.array(FOR if weights[number] > 0 else AGAINST, dtype=np.float32)
        area = areas == number
        edge = area & ~binary_erosion(area, iterations=width)
        tint = TINT * abs(float(weights[number])) / top
        picture = _blended(picture, colour, np.where(edge, 1.0, np.where(area, tint, 0.0)))
    return _rounded(picture)


def strongest_first(weights: Weights) -> list[int]:
    """The superpixels that have a weight, the strongest first, for or against alike."""
    order = np.argsort(-np.abs(weights), kind="stable")
    return [int(number) for number in order if weights[number]]


def coloured(values: HeatMap) -> Colour:
    """The colour of each value, 0 to 1, from the table: (..., 3) float32 in 0 to 255."""
    table = np.array(COLOURS, dtype=np.float32)
    places = np.linspace(0, 1, len(table))
    bands = [np.interp(values, places, table[:, band]) for band in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def _three(film: Array8) -> Colour:
    return np.repeat(film[..., np.newaxis], 3, axis=-1).astype(np.float32)


def _blended(under: Colour, over: Colour, alpha: npt.NDArray[np.floating]) -> Colour:
    """alpha: (rows, columns), 0 shows what lies under."""
    share = alpha[..., np.newaxis].astype(np.float32)
    return under * (1 - share) + over * share


def _rounded(picture: Colour) -> Array8:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
