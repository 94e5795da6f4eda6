"""The network of the pixel check, which tells upright frontal chest films."""

from typing import TYPE_CHECKING

from models.networks.layers import grey, probability

if TYPE_CHECKING:
    import keras


def chest_check(size: int) -> "keras.Model":
    """Six convolutions and a dense layer over a grid of sixteenths: 0.10 M parameters at 64.

    No global pooling: where in the image the lungs lie is what tells a chest film.
    """
    from keras import Model, layers

    image = grey(size)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for block, filters in enumerate(((16,), (24,), (48, 48), (64, 64)), 1):
        for step, width in enumerate(filters, 1):
            name = f"block{block}_{{}}{step}"
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=name.format("conv"))(x)
            x = layers.BatchNormalization(momentum=0.95, name=name.format("norm"))(x)
            x = layers.Activation("relu", name=name.format("relu"))(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = layers.Conv2D(24, 1, activation="relu", name="narrow")(x)
    x = layers.Dropout(0.3, name="dropout1")(layers.Flatten(name="flatten")(x))
    x = layers.Dense(32, activation="relu", name="dense")(x)
    return Model(image, probability(layers.Dropout(0.3, name="dropout2")(x)), name="chest-check")
