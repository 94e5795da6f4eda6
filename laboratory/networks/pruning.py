"""Channel pruning: a VGG network with fewer channels that begins by answering like a wider one."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.preprocessing import network_input
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

    from models.preprocessing import Array8, FilmView

Array = npt.NDArray[np.float32]
#: Positions of each film at which the two networks are compared, layer by layer.
POSITIONS = 240
#: Share of the inputs' mean square that keeps the new kernels small.
RIDGE = 1e-3
#: Films that go through a network at once.
BATCH_SIZE = 16


def prune_channels(
    wide: "keras.Model", narrow: "keras.Model", images: "Array8", view: "FilmView", seed: int
) -> None:
    """Give `narrow` the weights with which its layers repeat the strongest channels of `wide`.

    Both are VGG networks of one depth and input size; `narrow` has fewer filters. images:
    (n, side, side) uint8, films on which they are compared. Layer by layer, the channels are kept
    that move the next layer most, and the kernel is fitted by least squares to what the wide layer
    answers, from what the narrow layers before it give (He, Zhang and Sun 2017, "Channel pruning
    for accelerating very deep neural networks"). Raises Misconfigured for other networks.
    """
    layers = _convolutions(wide)
    if [layer.name for layer in layers] != [layer.name for layer in _convolutions(narrow)]:
        raise Misconfigured(f"{narrow.name} is no {wide.name} with fewer channels.")
    generator = np.random.default_rng(seed)
    inputs = network_input(images, narrow.input_shape[1], view)
    kept = np.arange(0)
    for layer, after in zip(layers, [*layers[1:], wide.get_layer("probability")], strict=True):
        twin = narrow.get_layer(layer.name)
        answers = _before_relu(layer, _features(wide, layer, inputs))
        kept = _strongest(answers, after, twin.filters)
        features = _features(narrow, twin, inputs)
        patches, wanted = _pairs(features, answers[..., kept], generator)
        kernel, bias = _least_squares(patches, wanted)
        twin.set_weights([kernel.reshape(twin.kernel.shape), bias])
    kernel, bias = wide.get_layer("probability").get_weights()
    narrow.get_layer("probability").set_weights([kernel[kept], bias])


def _convolutions(network: "keras.Model") -> "list[keras.Layer]":
    return [layer for layer in network.layers if "_conv" in layer.name]


def _features(network: "keras.Model", layer: "keras.Layer", inputs: Array) -> Array:
    """What goes into a layer of the network, (n, side, side, channels)."""
    import keras

    before = keras.Model(network.input, layer.input)
    # Called as it is: to compile a network that is used once takes longer than to use it.
    return np.concatenate([np.asarray(before(batch)) for batch in _batches(inputs)])


def _before_relu(layer: "keras.Layer", features: Array) -> Array:
    """What a convolution answers before its activation, (n, side, side, filters)."""
    from keras import ops

    kernel = ops.cast(layer.kernel, "float32")
    convolved = [
        np.asarray(ops.conv(batch, kernel, padding="same")) for batch in _batches(features)
    ]
    return np.concatenate(convolved) + np.asarray(layer.bias, dtype=np.float32)


def _batches(images: Array) -> list[Array]:
    return [images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE)]


def _strongest(answers: Array, after: "keras.Layer", count: int) -> npt.NDArray[np.int64]:
    """The channels that move the next layer most: (count,), in their order."""
    energy = np.sqrt(np.mean(np.maximum(answers, 0) ** 2, axis=(0, 1, 2)))
    kernel = np.asarray(after.kernel, dtype=np.float32)
    norms = np.sqrt(np.sum(kernel**2, axis=(*range(kernel.ndim - 2), -1)))
    return np.sort(np.argsort(energy * norms)[-count:])


def _pairs(
    features: Array, answers: Array, generator: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Patches of 3 x 3 that a convolution sees, and the answers wanted of it, at random positions.

    Returns (n, 9 x channels) and (n, filters).
    """
    side = features.shape[1]
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
    film = np.repeat(np.arange(len(features)), POSITIONS)
    down, across = generator.integers(side, size=(2, len(film)))
    patches = np.stack(
        [padded[film, down + i, across + j] for i in range(3) for j in range(3)], axis=1
    )
    flat = patches.reshape(len(film), -1).astype(np.float64)
    return flat, answers[film, down, across].astype(np.float64)


def _least_squares(
    patches: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
) -> tuple[Array, Array]:
    """The kernel, (9 x channels, filters), and the bias of the ridge regression."""
    centre, level = patches.mean(axis=0), wanted.mean(axis=0)
    moved = patches - centre
    square = moved.T @ moved
    square[np.diag_indices_from(square)] += RIDGE * np.trace(square) / len(square)
    kernel = np.linalg.solve(square, moved.T @ (wanted - level))
    return kernel.astype(np.float32), (level - centre @ kernel).astype(np.float32)
