"""Weight files: safetensors, 16-bit floating point, a tensor for each variable by its path."""

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from models.digests import file_sha256
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras


NUMBER = re.compile(r"_\d+$")


def save_weights(network: "keras.Model", path: Path) -> str:
    """Write the weights, rounded to float16. Returns the file's sha256."""
    from keras import ops

    tensors = {
        name: ops.convert_to_numpy(weight).astype(np.float16)
        for name, weight in _named(network).items()
    }
    save_file(tensors, path)
    return file_sha256(path)


def load_weights(network: "keras.Model", path: Path) -> None:
    """Fill the network. Raises Misconfigured if the file does not fit it."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise Misconfigured(f"{path} is no weight file: {error}") from error
    named = _named(network)
    expected = {name: tuple(weight.shape) for name, weight in named.items()}
    if expected != {name: tensor.shape for name, tensor in tensors.items()}:
        raise Misconfigured(f"{path} holds the weights of another network.")
    for name, weight in named.items():
        weight.assign(tensors[name].astype(np.float32))


def _named(network: "keras.Model") -> "dict[str, keras.Variable]":
    """Name the weights by their paths, with layers of no name of their own counted in this network.

    Keras counts those, as `conv2d_3`, over all the networks that a process has built.
    """
    counts: Counter[str] = Counter()
    named = {}
    for layer in network.layers:
        kind = NUMBER.sub("", layer.name)
        name = f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        for weight in layer.weights:
            named[name + weight.path.removeprefix(layer.name)] = weight
    return named
