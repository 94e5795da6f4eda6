"""The network of the pixel check, which tells upright frontal chest films."""

from typing import TYPE_CHECKING

from models.networks.layers import grey, probability

if TYPE_CHECKING:
    import keras


def chest_check(size: int) -> "keras.Model":
    """Five convolutions and a dense layer over a grid of sixteenths: 66,000 parameters at 64.

    No global pooling: where in the image the lungs lie is what tells a chest film.
    """
    return _chest_check(size, (16, 24, 32, 48, 64), "chest-check")


def wider_chest_check(size: int) -> "keras.Model":
    """`chest_check` of half as many filters again in its convolutions: 133,000 parameters at 64."""
    return _chest_check(size, (24, 36, 48, 72, 96), "chest-check-wider")


def _chest_check(size: int, filters: tuple[int, int, int, int, int], name: str) -> "keras.Model":
    from keras import Model, layers

    image = grey(size)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    x = _convolution(x, filters[0], "block1_1", kernel=5, strides=2)
    for block, widths in enumerate((filters[1:3], filters[3:]), 2):
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
        for step, width in enumerate(widths, 1):
            x = _convolution(x, width, f"block{block}_{step}")
    x = layers.MaxPooling2D(name="last_pool")(x)
    x = layers.Conv2D(24, 1, activation="relu", name="narrow")(x)
    x = layers.Dropout(0.2, name="dropout1")(layers.Flatten(name="flatten")(x))
    x = layers.Dense(32, activation="relu", name="dense")(x)
    return Model(image, probability(layers.Dropout(0.2, name="dropout2")(x)), name=name)


def _convolution(
    x: "keras.KerasTensor", filters: int, name: str, *, kernel: int = 3, strides: int = 1
) -> "keras.KerasTensor":
    from keras import layers

    x = layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)
