"""The networks of the shipped ensembles."""

from typing import TYPE_CHECKING

from models.networks.layers import (
    convolution_blocks,
    grey,
    pooled_head,
    three_channels,
    vgg_blocks,
)

if TYPE_CHECKING:
    import keras

#: ImageNet's mean of each channel, in the order blue, green, red of the VGG networks.
IMAGENET_MEAN = (103.939, 116.779, 123.68)
#: Blocks of VGG16 that keep their ImageNet weights.
VGG16_FROZEN = 3
#: Filters and number of the convolutions of each block of the narrow VGG16. The first two blocks,
#: which see the most pixels, lose most of their channels.
VGG16_NARROW = ((16, 2), (48, 2), (96, 3), (192, 3), (256, 3))
#: Expansion, filters, kernel, stride and repeats of EfficientNet's stages (Tan and Le 2019, B0);
#: the lite variant is without squeeze-and-excitation and with ReLU6.
EFFICIENTNET_STAGES = (
    (1, 16, 3, 1, 1),
    (6, 24, 3, 2, 2),
    (6, 40, 5, 2, 2),
    (6, 80, 3, 2, 3),
    (6, 112, 5, 1, 3),
    (6, 192, 5, 2, 4),
    (6, 320, 3, 1, 1),
)
#: Blocks of EfficientNet-Lite0, after the stem, that keep their ImageNet weights.
EFFICIENTNET_FROZEN = 3


def plain_cnn(size: int) -> "keras.Model":
    """Eight convolutions with batch normalisation, trained from nothing: 0.84 M parameters."""
    from keras import Model, layers

    image = grey(size)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for block, filters in enumerate((32, 64, 128, 192), 1):
        for step in (1, 2):
            name = f"block{block}_conv{step}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(name=f"block{block}_norm{step}")(x)
            x = layers.Activation("relu", name=f"block{block}_relu{step}")(x)
        if block < 4:
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return Model(image, pooled_head(x, dropout=0.4), name="plain-cnn")


def vgg16_tuned(size: int) -> "keras.Model":
    """VGG16 without its top, blocks 1 to 3 frozen, under global average pooling."""
    from keras import Model, layers

    image = grey(size)
    centre = [-mean for mean in IMAGENET_MEAN]
    x = layers.Rescaling(1.0, offset=centre, name="centre")(three_channels(image))
    x = vgg_blocks(16, x, frozen=VGG16_FROZEN)
    return Model(image, pooled_head(x, dropout=0.4), name="vgg16-tuned")


def vgg16_narrow(size: int) -> "keras.Model":
    """VGG16 with a quarter to a half of the channels: 2.7 M parameters, all of them trained."""
    from keras import Model, layers

    image = grey(size)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    x = convolution_blocks(VGG16_NARROW, x)
    return Model(image, pooled_head(x, dropout=0.4), name="vgg16-narrow")


def efficientnet_lite0(size: int) -> "keras.Model":
    """EfficientNet-Lite0 without its top, the stem and three blocks frozen: 3.4 M parameters.

    Its first convolution reads one grey channel instead of three equal ones: the sum of the
    filters over the channels, which is the same function.
    """
    from keras import Model, layers

    image = grey(size)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    x = _normalised(layers.Conv2D(32, 3, strides=2, **_same("stem_conv"))(x), "stem")
    block, channels = 0, 32
    for expansion, filters, kernel, stride, repeats in EFFICIENTNET_STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = _inverted_residual(x, block, channels, expansion, filters, kernel, step)
            block, channels = block + 1, filters
    x = _normalised(layers.Conv2D(1280, 1, **_same("head_conv"))(x), "head")
    network = Model(image, pooled_head(x, dropout=0.3), name="efficientnet-lite0")
    frozen = ("stem_", *(f"block{n}_" for n in range(EFFICIENTNET_FROZEN)))
    for layer in network.layers:
        if layer.name.startswith(frozen):
            layer.trainable = False
    return network


def _inverted_residual(
    x: "keras.KerasTensor",
    block: int,
    channels: int,
    expansion: int,
    filters: int,
    kernel: int,
    stride: int,
) -> "keras.KerasTensor":
    """MBConv (Sandler et al. 2018): widen, convolve each channel, narrow, add."""
    from keras import layers

    name = f"block{block}"
    y = x
    if expansion != 1:
        y = layers.Conv2D(channels * expansion, 1, **_same(f"{name}_expand_conv"))(y)
        y = _normalised(y, f"{name}_expand")
    y = layers.DepthwiseConv2D(kernel, strides=stride, **_same(f"{name}_depth_conv"))(y)
    y = _normalised(y, f"{name}_depth")
    y = layers.Conv2D(filters, 1, **_same(f"{name}_project_conv"))(y)
    y = _normalised(y, f"{name}_project", activation=None)
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y


def _normalised(
    x: "keras.KerasTensor", name: str, activation: str | None = "relu6"
) -> "keras.KerasTensor":
    from keras import layers

    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.9, name=f"{name}_norm")(x)
    return layers.Activation(activation, name=f"{name}_relu")(x) if activation else x


def _same(name: str) -> dict[str, object]:
    return {"padding": "same", "use_bias": False, "name": name}
