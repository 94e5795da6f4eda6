"""Films whose class anybody could tell, and a network that tells it, for tests of seconds."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import keras

#: In the names of the Guangzhou set, two films a group in turn.
NAMES = (
    "NORMAL/IM-{n:04}-0001.png",
    "PNEUMONIA/person{n}_virus_1.png",
    "NORMAL/NORMAL2-IM-{n:04}-0001.png",
    "PNEUMONIA/person{n}_bacteria_1.png",
)


def write_spotted_films(folder: Path, count: int = 80) -> None:
    """The sick films have a bright square, the healthy ones have none."""
    generator = np.random.default_rng(0)
    for number in range(count):
        name = NAMES[number % len(NAMES)].format(n=number)
        film = generator.integers(60, 120, (64, 64), dtype=np.uint8)
        if name.startswith("PNEUMONIA"):
            film[20:44, 20:44] = 230
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(film).save(path)


def small_cnn(size: int) -> "keras.Model":
    """A network of two layers that learns to tell such films apart, and is soon compiled."""
    from keras import Input, Model, layers

    image = Input((size, size, 1))
    x = layers.Conv2D(8, 5, strides=2, activation="relu")(layers.Rescaling(1 / 255)(image))
    x = layers.GlobalMaxPooling2D()(x)
    return Model(image, layers.Dense(1, activation="sigmoid")(x))


def finder(size: int, ending: str, *, dark: bool = False) -> "keras.Model":
    """A network that calls a film sick for its bright (or dark) places; nothing in it is random."""
    from keras import Input, Model, layers

    image = Input((size, size, 1))
    x = layers.Rescaling(1 / 255)(image)
    convolution = layers.Conv2D(1, 7, padding="same", activation="relu")
    x = convolution(x)
    sign = -1.0 if dark else 1.0
    convolution.set_weights([np.full((7, 7, 1, 1), sign / 49), np.array([0.4 if dark else -0.6])])
    if ending == "pooled":
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.Flatten()(layers.MaxPooling2D(4)(x))
        x = layers.Dense(4, activation="relu", kernel_initializer="ones")(x)
    sick = layers.Dense(1, activation="sigmoid", kernel_initializer="ones")
    return Model(image, sick(layers.Dropout(0.5)(x)))
