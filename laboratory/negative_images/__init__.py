"""Negative images: no upright frontal chest films, to train and to measure the pixel check on.

Drawn, or taken from what installed packages ship; nothing is downloaded. `changed_films` makes more
of them from chest films. matplotlib and scikit-learn, whose fonts and pictures are used, come with
the laboratory extra.
"""

import zlib

import numpy as np

from laboratory.negative_images import pages, patterns, pictures, radiographs
from laboratory.negative_images.patterns import ImageMaker
from models.preprocessing import Array8, standardise

#: By name. Each makes one image of any size; the generator decides everything about it.
KINDS: dict[str, ImageMaker] = {
    **patterns.KINDS,
    **pages.KINDS,
    **pictures.KINDS,
    **radiographs.KINDS,
}
#: Kinds that the network never sees in training, so that they tell how it does on what is new.
NEVER_TRAINED = frozenset(
    {"charts", "rings", "mr slices", "other photographs", "knee drawings", "skull drawings"}
)


def draw(kind: str, count: int, seed: int) -> Array8:
    """Model-ready images of one kind: (count, 224, 224) uint8; the same for the same seed."""
    return np.stack(
        [
            standardise(KINDS[kind](np.random.default_rng((seed, zlib.crc32(kind.encode()), n))))
            for n in range(count)
        ]
    )
