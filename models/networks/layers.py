"""Parts of networks. Every network takes (size, size, 1) grey values and ends in a sigmoid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

#: Filters and number of the convolutions of each block (Simonyan and Zisserman 2014, table 1).
VGG_BLOCKS = {
    16: ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)),
    19: ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)),
}


def grey(size: int) -> "keras.KerasTensor":
    """The input: (size, size, 1), 0 to 255."""
    from keras import Input

    return Input((size, size, 1), name="image")


def three_channels(image: "keras.KerasTensor") -> "keras.KerasTensor":
    """The grey values three times, as networks for colour images want them."""
    from keras import layers

    return layers.Concatenate(name="channels")([image, image, image])


def vgg_blocks(depth: int, x: "keras.KerasTensor", *, frozen: int) -> "keras.KerasTensor":
    """The convolutions of VGG16 or VGG19, the first blocks of them frozen. x: three channels."""
    return convolution_blocks(VGG_BLOCKS[depth], x, frozen=frozen)


def convolution_blocks(
    blocks: Sequence[tuple[int, int]], x: "keras.KerasTensor", *, frozen: int = 0
) -> "keras.KerasTensor":
    """Blocks of 3 x 3 convolutions, each halved by pooling; filters and number of each block."""
    from keras import layers

    for block, (filters, steps) in enumerate(blocks, 1):
        for step in range(1, steps + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                trainable=block > frozen,
                name=f"block{block}_conv{step}",
            )(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return x


def pooled_head(x: "keras.KerasTensor", dropout: float) -> "keras.KerasTensor":
    """Global average pooling, dropout, and the sigmoid unit."""
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return probability(layers.Dropout(dropout, name="dropout")(x))


def probability(x: "keras.KerasTensor", l2: float | None = None) -> "keras.KerasTensor":
    """The sigmoid unit; in float32 whatever the network computes in."""
    from keras import layers, regularizers

    return layers.Dense(
        1,
        activation="sigmoid",
        kernel_regularizer=regularizers.L2(l2) if l2 else None,
        dtype="float32",
        name="probability",
    )(x)
