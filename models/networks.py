"""Networks by name. Each takes (size, size, 1) grey values, 0 to 255, and ends in one sigmoid.

Keras 3 layers only, so that they run on TensorFlow, JAX and PyTorch alike. Keras itself is
imported when a network is built.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

Builder = Callable[[int], "keras.Model"]
#: ImageNet's mean of each channel, in the order blue, green, red of the VGG networks.
IMAGENET_MEAN = (103.939, 116.779, 123.68)
#: Filters of VGG16's convolutions, block by block (Simonyan and Zisserman 2014, table 1, D).
VGG16_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
#: Blocks of VGG16 that keep their ImageNet weights.
VGG16_FROZEN = 3


def plain_cnn(size: int) -> "keras.Model":
    """Eight convolutions with batch normalisation, trained from nothing: 0.84 M parameters."""
    from keras import Input, Model, layers

    image = Input((size, size, 1), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for block, filters in enumerate((32, 64, 128, 192), 1):
        for step in (1, 2):
            name = f"block{block}_conv{step}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(name=f"block{block}_norm{step}")(x)
            x = layers.Activation("relu", name=f"block{block}_relu{step}")(x)
        if block < 4:
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return Model(image, _head(x, dropout=0.4), name="plain-cnn")


def vgg16_tuned(size: int) -> "keras.Model":
    """VGG16 without its top, blocks 1 to 3 frozen, under global average pooling."""
    from keras import Input, Model, layers

    image = Input((size, size, 1), name="image")
    x = layers.Concatenate(name="channels")([image, image, image])
    x = layers.Rescaling(1.0, offset=[-mean for mean in IMAGENET_MEAN], name="centre")(x)
    for block, (filters, steps) in enumerate(VGG16_BLOCKS, 1):
        for step in range(1, steps + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                trainable=block > VGG16_FROZEN,
                name=f"block{block}_conv{step}",
            )(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return Model(image, _head(x, dropout=0.4), name="vgg16-tuned")


NETWORKS: dict[str, Builder] = {"plain-cnn": plain_cnn, "vgg16-tuned": vgg16_tuned}


def build(network: str, size: int) -> "keras.Model":
    """A network by name, for square images of this side. Raises Misconfigured for a wrong name."""
    if network not in NETWORKS:
        raise Misconfigured(f"No network is called {network}; there are {', '.join(NETWORKS)}.")
    return NETWORKS[network](size)


def _head(x: "keras.KerasTensor", dropout: float) -> "keras.KerasTensor":
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # Probabilities stay in float32 whatever the network computes in.
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
