"""The networks of the five studies that this project grew from.

Each divides its grey values by 255, reads them as three equal channels, and uses convolutions of
3 x 3 without padding, ReLU, and pooling by 2 x 2, unless said. The names of the functions are
those of the studies; `laboratory.training.recipes` holds how each was trained.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from laboratory.networks.layers import dense_head, vgg_top
from models.networks.layers import grey, probability, three_channels, vgg_blocks

if TYPE_CHECKING:
    import keras

#: Strength of the L2 penalty where a study says "L2" and no more: that of Keras.
L2 = 0.01


def phase4_plain(size: int) -> "keras.Model":
    """phase4-1 to 3: three convolutions and one dense layer."""
    image, x = _input(size)
    for filters in (32, 32, 64):
        x = _pool(_convolutions(x, filters))
    return _model(image, dense_head(_flat(x), [64]))


def phase4_deep(size: int, blocks: tuple[int, ...] = (32, 32, 64, 64)) -> "keras.Model":
    """phase4-4, and phase4-5 with a fifth block: pairs of convolutions and two dense layers."""
    image, x = _input(size)
    for filters in blocks:
        x = _pool(_convolutions(x, filters, filters))
    return _model(image, dense_head(_flat(x), [128, 64]))


def phase4_vgg19(size: int) -> "keras.Model":
    """phase4-6: VGG19's convolutions, frozen, and one dense layer."""
    image, x = _input(size)
    return _model(image, dense_head(_flat(vgg_blocks(19, x, frozen=5)), [128]))


def phase4_vgg19_with_top(size: int) -> "keras.Model":
    """phase4-7: the whole of VGG19, its 1,000 classes too, frozen, and one dense layer."""
    image, x = _input(size)
    return _model(image, dense_head(vgg_top(vgg_blocks(19, x, frozen=5)), [64]))


def capstone_cnn(size: int) -> "keras.Model":
    """capstone-cnn: padded pairs of convolutions, normalised, and three dense layers."""
    image, x = _input(size)
    for block, filters in enumerate((16, 32, 64, 128)):
        x = _convolutions(x, filters, filters, padding="same")
        x = _pool(_normal(x) if block else x)
    return _model(image, dense_head(_flat(x), [512, 128, 64], [0.5, 0.3, 0.2]))


def capstone_vgg16(size: int) -> "keras.Model":
    """capstone-vgg16: VGG16's convolutions, frozen, and three dense layers."""
    image, x = _input(size)
    x = _flat(vgg_blocks(16, x, frozen=5))
    return _model(image, dense_head(x, [1024, 512, 256], [0.5, 0.3, 0.2]))


def mount_sinai_1(size: int) -> "keras.Model":
    """mount-sinai-1: one convolution of 2 x 2."""
    image, x = _input(size)
    return _model(image, probability(_flat(_convolutions(x, 16, kernel=2))))


def mount_sinai_2(size: int) -> "keras.Model":
    """mount-sinai-2: two convolutions and two dense layers, the second with dropout."""
    image, x = _input(size)
    for filters in (32, 64):
        x = _pool(_convolutions(x, filters))
    return _model(image, dense_head(_flat(x), [512, 128], [0.0, 0.5]))


def mount_sinai_3(size: int) -> "keras.Model":
    """mount-sinai-3: three normalised convolutions and two dense layers."""
    from keras import layers

    image, x = _input(size)
    for filters in (32, 64, 128):
        x = _pool(_normal(_convolutions(x, filters)))
    x = layers.Dense(256, activation="relu")(_flat(_normal(x)))
    x = _normal(layers.Dropout(0.2)(x))
    return _model(image, dense_head(x, [128], [0.25]))


def mount_sinai_4(size: int) -> "keras.Model":
    """mount-sinai-4: four normalised convolutions and two normalised dense layers."""
    from keras import layers

    image, x = _input(size)
    for filters in (32, 64, 128, 256):
        x = _pool(_normal(_convolutions(x, filters)))
    x = _flat(x)
    for units in (512, 256):
        x = _normal(layers.Dense(units, activation="relu")(x))
        x = layers.Dropout(0.5)(x)
    return _model(image, probability(x))


def mount_sinai_5(size: int) -> "keras.Model":
    """mount-sinai-5: VGG16's convolutions, frozen, and one dense layer."""
    image, x = _input(size)
    x = _flat(vgg_blocks(16, x, frozen=5))
    return _model(image, dense_head(x, [512], [0.5], l2=L2))


def mount_sinai_6(size: int) -> "keras.Model":
    """mount-sinai-6: VGG16's convolutions, frozen, normalised, and two dense layers."""
    image, x = _input(size)
    x = _flat(_normal(vgg_blocks(16, x, frozen=5)))
    return _model(image, dense_head(x, [256, 128], [0.5, 0.5], l2=L2))


def mount_sinai_7(size: int) -> "keras.Model":
    """mount-sinai-7: VGG16's convolutions, frozen, normalised, and three dense layers."""
    image, x = _input(size)
    x = _flat(_normal(vgg_blocks(16, x, frozen=5)))
    return _model(image, dense_head(x, [512, 256, 128], [0.5] * 3, l2=L2, output_l2=L2))


def blog_mlp(size: int) -> "keras.Model":
    """blog-mlp: no convolution, four dense layers."""
    image, x = _input(size)
    return _model(image, dense_head(_flat(x), [256, 128, 64, 64]))


def blog_cnn(size: int) -> "keras.Model":
    """blog-cnn: two convolutions and one dense layer."""
    image, x = _input(size)
    for filters in (32, 32):
        x = _pool(_convolutions(x, filters))
    return _model(image, dense_head(_flat(x), [128]))


def blog_deep_cnn(size: int) -> "keras.Model":
    """blog-deep-cnn: pairs of convolutions and three dense layers; the best of the studies."""
    image, x = _input(size)
    for filters in (32, 64, 128):
        x = _pool(_convolutions(x, filters, filters))
    return _model(image, dense_head(_flat(x), [1024, 512, 128], [0.3] * 3))


def blog_vgg16(size: int) -> "keras.Model":
    """blog-vgg16: VGG16 with blocks 4 and 5 trained, and two dense layers."""
    image, x = _input(size)
    x = _flat(vgg_blocks(16, x, frozen=3))
    return _model(image, dense_head(x, [512, 128], [0.3, 0.3]))


def tuned_cnn(size: int, first: int = 32, second: int = 64, dense: int = 128) -> "keras.Model":
    """tuned-cnn: two convolutions, each normalised after its pooling, and one dense layer.

    Its widths are searched: `laboratory.tuning.bayesian_search`.
    """
    image, x = _input(size)
    for filters in (first, second):
        x = _normal(_pool(_convolutions(x, filters)))
    return _model(image, dense_head(_flat(x), [dense], [0.5]))


#: By name. Found by `models.networks` too, by the entry point `readfirst.networks`.
PUBLISHED: dict[str, Callable[..., "keras.Model"]] = {
    "phase4-1": phase4_plain,
    "phase4-2": phase4_plain,
    "phase4-3": phase4_plain,
    "phase4-4": phase4_deep,
    "phase4-5": partial(phase4_deep, blocks=(32, 32, 64, 64, 128)),
    "phase4-6": phase4_vgg19,
    "phase4-7": phase4_vgg19_with_top,
    "capstone-cnn": capstone_cnn,
    "capstone-vgg16": capstone_vgg16,
    "mount-sinai-1": mount_sinai_1,
    "mount-sinai-2": mount_sinai_2,
    "mount-sinai-3": mount_sinai_3,
    "mount-sinai-4": mount_sinai_4,
    "mount-sinai-5": mount_sinai_5,
    "mount-sinai-6": mount_sinai_6,
    "mount-sinai-7": mount_sinai_7,
    "blog-mlp": blog_mlp,
    "blog-cnn": blog_cnn,
    "blog-deep-cnn": blog_deep_cnn,
    "blog-vgg16": blog_vgg16,
    "tuned-cnn": tuned_cnn,
}


def _input(size: int) -> tuple["keras.KerasTensor", "keras.KerasTensor"]:
    """The grey values, and the three channels of 0 to 1 that the study's network reads."""
    from keras import layers

    image = grey(size)
    return image, three_channels(layers.Rescaling(1 / 255, name="scale")(image))


def _convolutions(
    x: "keras.KerasTensor", *filters: int, kernel: int = 3, padding: str = "valid"
) -> "keras.KerasTensor":
    from keras import layers

    for width in filters:
        x = layers.Conv2D(width, kernel, padding=padding, activation="relu")(x)
    return x


def _pool(x: "keras.KerasTensor") -> "keras.KerasTensor":
    from keras import layers

    return layers.MaxPooling2D()(x)


def _normal(x: "keras.KerasTensor") -> "keras.KerasTensor":
    from keras import layers

    return layers.BatchNormalization()(x)


def _flat(x: "keras.KerasTensor") -> "keras.KerasTensor":
    from keras import layers

    return layers.Flatten()(x)


def _model(image: "keras.KerasTensor", answer: "keras.KerasTensor") -> "keras.Model":
    from keras import Model

    return Model(image, answer)
