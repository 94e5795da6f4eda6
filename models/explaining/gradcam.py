"""Grad-CAM: where in a film a network found what speaks for pneumonia (Selvaraju et al. 2017).

The logit of the sigmoid unit is followed back to the last convolutional feature map. The gradient
comes from whichever backend Keras runs on: TensorFlow, PyTorch or JAX.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.explaining.arrays import HeatMap
from models.preprocessing import MODEL_READY_SIZE, Array8, FilmView, network_input

if TYPE_CHECKING:
    import keras

    from models.manifest import EnsembleMember

#: A tensor of the backend that Keras runs on.
Tensor = Any
#: From a tensor to a scalar; made of Keras' layers and operations only.
Scalar = Callable[[Tensor], Tensor]


def ensemble_heat_map(
    members: Sequence["EnsembleMember"], networks: Sequence["keras.Model"], image: Array8
) -> HeatMap:
    """Heat map of where the members together found what speaks for pneumonia.

    members, networks: of one ensemble, in the same order. image: (224, 224) uint8, model-ready.
    Returns (224, 224) float32 in 0 to 1: each member's heat map of its own input, divided by its
    own maximum, put where the member's first view lies, averaged by the members' weights and
    divided by the maximum. Where nothing speaks for pneumonia it is all zero. The scale says how
    the heat spreads over this film, not how likely pneumonia is: films do not compare by it.
    """
    total = np.zeros((MODEL_READY_SIZE, MODEL_READY_SIZE), dtype=np.float32)
    for member, network in zip(members, networks, strict=True):
        view = member.views[0]
        own = heat_map(network, network_input(image[np.newaxis], member.input_size, view)[0])
        total += np.float32(member.weight) * in_place(_to_one(own), view)
    return _to_one(total)


def heat_map(network: "keras.Model", image: npt.NDArray[np.float32]) -> HeatMap:
    """Grad-CAM of the logit of pneumonia at the last convolutional feature map.

    image: (size, size, 1) float32, an input of that network. Returns (h, w) float32, the size of
    the feature map: sum over channels of (mean gradient x feature), negative values set to zero;
    not normalised. Under global average pooling this is the class activation map (Zhou et al.
    2016) divided by h x w. Raises ValueError if the network has no convolution.
    """
    from keras import Model, ops

    layer = feature_layer(network)
    features = ops.cast(Model(network.inputs[0], layer.output)(image[np.newaxis]), "float32")
    gradients = gradient(lambda x: _logit(network, layer, x), features)
    channels = gradients.mean(axis=(1, 2), keepdims=True)
    summed = np.sum(channels * ops.convert_to_numpy(features), axis=-1)[0]
    heat: HeatMap = np.maximum(summed, 0).astype(np.float32)
    return heat


def feature_layer(network: "keras.Model") -> "keras.Layer":
    """The layer that gives the last convolutional feature map.

    It is the last convolution, or what follows it without changing the map's height and width:
    normalisation and activation, but no pooling. Raises ValueError if there is no convolution.
    """
    from keras import layers

    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    places = [n for n, layer in enumerate(network.layers) if isinstance(layer, kinds)]
    if not places:
        raise ValueError(f"{network.name} has no convolution, and so no map of where")
    last = network.layers[places[-1]]
    for layer in network.layers[places[-1] + 1 :]:
        if len(layer.output.shape) != 4 or layer.output.shape[1:3] != last.output.shape[1:3]:
            break
        last = layer
    return last


def gradient(function: Scalar, at: Tensor) -> npt.NDArray[np.float32]:
    """The gradient of a scalar function, with the shape of `at`, on the backend in use.

    function: in inference, so that it changes no variable. at: a float32 tensor of the backend.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in _GRADIENTS:
        raise ValueError(f"Keras' backend {backend} gives no gradients")
    slope_tensor = _GRADIENTS[backend](function, at)
    slope: npt.NDArray[np.float32] = np.asarray(
        keras.ops.convert_to_numpy(slope_tensor), np.float32
    )
    return slope


def _tensorflow_gradient(function: Scalar, at: Tensor) -> Tensor:
    import tensorflow

    with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    return tape.gradient(value, at)


def _torch_gradient(function: Scalar, at: Tensor) -> Tensor:
    import torch

    with torch.enable_grad():
        start = at.detach().requires_grad_(True)
        return torch.autograd.grad(function(start), start)[0]


def _jax_gradient(function: Scalar, at: Tensor) -> Tensor:
    import jax
    import keras

    def stateless(x: Tensor) -> Tensor:
        with keras.StatelessScope():
            return function(x)

    return jax.grad(stateless)(at)


_GRADIENTS: dict[str, Callable[[Scalar, Tensor], Tensor]] = {
    "tensorflow": _tensorflow_gradient,
    "torch": _torch_gradient,
    "jax": _jax_gradient,
}


def _logit(network: "keras.Model", layer: "keras.Layer", features: Tensor) -> Tensor:
    """Compute what enters the sigmoid if this layer gives these features, (1, h, w, c). A scalar.

    The layers are called one by one, not as a new model, which would leave a trace in each of
    them for every film. Raises ValueError if a later layer reads what lies before the map.
    """
    from keras import ops, tree

    unit = network.layers[-1]
    values = {id(layer.output): features}
    for later in network.layers[network.layers.index(layer) + 1 : -1]:
        if any(id(tensor) not in values for tensor in tree.flatten(later.input)):
            raise ValueError(f"{network.name} goes round the map of {layer.name}")
        read = tree.map_structure(lambda tensor: values[id(tensor)], later.input)
        values[id(later.output)] = later(read)
    last = ops.cast(values[id(unit.input)], "float32")
    return (ops.matmul(last, unit.kernel) + unit.bias)[0, 0]


def _to_one(heat: HeatMap) -> HeatMap:
    """Divided by its maximum; all zero stays all zero."""
    top = heat.max()
    return heat / top if top > 0 else heat


def in_place(heat: HeatMap, view: FilmView) -> HeatMap:
    """The heat of a framing, which is not mirrored, over the whole film; none where it ends.

    heat: (h, w) float32. Returns (224, 224) float32, resized bilinearly.
    """
    inner = round(MODEL_READY_SIZE / view.zoom)
    edge = (MODEL_READY_SIZE - inner) // 2
    over_film = np.zeros((MODEL_READY_SIZE, MODEL_READY_SIZE), dtype=np.float32)
    resized = Image.fromarray(heat).resize((inner, inner), Image.Resampling.BILINEAR)
    over_film[edge : edge + inner, edge : edge + inner] = np.asarray(resized)
    return over_film
