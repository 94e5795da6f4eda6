"""Chest films that are not to be read as they are: turned, inverted, cut to pieces, two at once."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from models.preprocessing import Array8, standardise

Change = Callable[[Array8, np.random.Generator], Array8]
#: A piece that still counts as none of a chest: the largest share of either side.
LARGEST_PIECE = 0.45


def upside_down(film: Array8, generator: np.random.Generator) -> Array8:
    """The head below: turned by 180 degrees, or mirrored from top to bottom."""
    return film[::-1, ::-1] if generator.random() < 0.5 else film[::-1]


def turned(film: Array8, generator: np.random.Generator) -> Array8:
    """Turned by a right angle to either side, mirrored or not."""
    return np.rot90(mirrored(film, generator), int(generator.choice([1, 3])))


def inverted(film: Array8, _generator: np.random.Generator) -> Array8:
    """White for black, as a MONOCHROME1 image whose header says otherwise."""
    return 255 - film


def pieces(film: Array8, generator: np.random.Generator) -> Array8:
    """Less than a quarter of the film."""
    side = film.shape[0]
    high, wide = (int(side * share) for share in generator.uniform(0.15, LARGEST_PIECE, 2))
    top, left = generator.integers(0, [side - high, side - wide])
    return film[top : top + high, left : left + wide]


def two_at_once(film: Array8, generator: np.random.Generator) -> Array8:
    """The film twice, side by side or above each other, the second mirrored or darker."""
    other = mirrored(film, generator) * generator.uniform(0.6, 1.0)
    return np.concatenate([film, other.astype(np.uint8)], axis=int(generator.integers(2)))


def shuffled(film: Array8, generator: np.random.Generator) -> Array8:
    """Cut into four, nine or sixteen tiles that were put together in another order."""
    across = int(generator.integers(2, 5))
    side = film.shape[0] // across
    tiles = [
        film[top * side : (top + 1) * side, left * side : (left + 1) * side]
        for top in range(across)
        for left in range(across)
    ]
    # No tile stays where it was.
    step = int(generator.integers(1, len(tiles)))
    order = [(tile + step) % len(tiles) for tile in range(len(tiles))]
    rows = [order[row * across : (row + 1) * across] for row in range(across)]
    return np.block([[tiles[tile] for tile in row] for row in rows])


def mirrored(film: Array8, generator: np.random.Generator) -> Array8:
    """Every other film with left and right exchanged."""
    return film[:, ::-1] if generator.random() < 0.5 else film


#: By name. Each takes a model-ready film.
CHANGES: dict[str, Change] = {
    "upside down": upside_down,
    "turned by 90 degrees": turned,
    "inverted grey scale": inverted,
    "pieces of films": pieces,
    "two films at once": two_at_once,
    "shuffled films": shuffled,
}


def change(films: Array8, name: str, seed: int) -> Array8:
    """Every film under one change. films: (n, 224, 224) uint8; returns the same shape."""
    generator = np.random.default_rng((seed, list(CHANGES).index(name)))
    return np.stack(
        [
            standardise(np.ascontiguousarray(CHANGES[name](film, generator)), film.shape[0])
            for film in films
        ]
    )


def disguise(image: Array8, film: Array8) -> Array8:
    """Another image with the grey values of a chest film, so that these do not give it away."""
    order = np.argsort(image, axis=None, kind="stable")
    taken = np.empty(image.size, dtype=np.uint8)
    grey = np.sort(np.asarray(Image.fromarray(film).resize(image.shape[::-1])), axis=None)
    taken[order] = grey
    return taken.reshape(image.shape)
