"""Batch normalisation folded into the convolutions before it, for scoring.

A trained normalisation only scales and shifts, and a convolution can do that itself (Jacob et al.
2018, section 3.2). What is left are convolutions with a bias and an activation, which the backends
compute in one pass over memory, and in bfloat16 throughout.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

Weights = npt.NDArray[np.float32]


def folded(network: "keras.Model") -> "keras.Model":
    """Build the same function without batch normalisation, for scoring only.

    Every normalisation must follow a convolution of which nothing else reads. Layers keep their
    names; what was a normalisation hands its input on.
    """
    from keras import layers
    from keras.models import clone_model

    norms = _norms_by_convolution(network)
    if not norms:
        return network

    def again(layer: Any) -> Any:
        if isinstance(layer, layers.BatchNormalization):
            return layers.Activation("linear", name=layer.name, dtype=layer.dtype_policy)
        config = layer.get_config()
        return type(layer).from_config(
            config | {"use_bias": True} if layer.name in norms else config
        )

    twin = clone_model(
        network, clone_function=again, call_function=lambda layer, *inputs, **_: layer(*inputs)
    )
    for layer in network.layers:
        if layer.name in norms:
            twin.get_layer(layer.name).set_weights(_fold(layer, norms[layer.name]))
        elif not isinstance(layer, layers.BatchNormalization):
            twin.get_layer(layer.name).set_weights(layer.get_weights())
    return twin


def _norms_by_convolution(network: "keras.Model") -> dict[str, Any]:
    """Return the normalisation behind each convolution that has one, by the convolution's name."""
    from keras import layers

    made_by = {id(layer.output): layer for layer in network.layers}
    return {
        made_by[id(layer.input)].name: layer
        for layer in network.layers
        if isinstance(layer, layers.BatchNormalization)
    }


def _fold(convolution: Any, norm: Any) -> list[Weights]:
    """Compute kernel and bias that do what the convolution and its normalisation did.

    The kernel's last axes are (input channels, filters); of a convolution of each channel apart
    (channels, multiplier).
    """
    from keras import layers

    kernel, *bias = convolution.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    apart = isinstance(convolution, layers.DepthwiseConv2D)
    kernel = kernel * (scale.reshape(kernel.shape[2:]) if apart else scale)
    return [kernel, beta + ((bias[0] if bias else 0.0) - mean) * scale]
