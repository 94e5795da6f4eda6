"""Parts that only the published networks have."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.networks.layers import probability

if TYPE_CHECKING:
    import keras


def vgg_top(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """VGG's dense layers and its 1,000 classes, frozen."""
    from keras import layers

    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", trainable=False, name=name)(x)
    return layers.Dense(1000, activation="softmax", trainable=False, name="predictions")(x)


def dense_head(
    x: "keras.KerasTensor",
    units: Sequence[int],
    dropout: Sequence[float] = (),
    l2: float | None = None,
    output_l2: float | None = None,
) -> "keras.KerasTensor":
    """Dense layers with ReLU, each with its dropout if any are given, and the sigmoid unit."""
    from keras import layers, regularizers

    for n, width in enumerate(units):
        penalty = regularizers.L2(l2) if l2 else None
        x = layers.Dense(width, activation="relu", kernel_regularizer=penalty)(x)
        if dropout:
            x = layers.Dropout(dropout[n])(x)
    return probability(x, output_l2)
