"""Weight files: safetensors, 16-bit floating point, a tensor for each variable by its path."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras


def save_weights(network: "keras.Model", path: Path) -> str:
    """Write the weights, rounded to float16. Returns the file's sha256."""
    from keras import ops

    tensors = {
        weight.path: ops.convert_to_numpy(weight).astype(np.float16) for weight in network.weights
    }
    save_file(tensors, path)
    return file_sha256(path)


def load_weights(network: "keras.Model", path: Path) -> None:
    """Fill the network. Raises Misconfigured if the file does not fit it."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise Misconfigured(f"{path} is no weight file: {error}") from error
    expected = {weight.path: tuple(weight.shape) for weight in network.weights}
    if expected != {name: tensor.shape for name, tensor in tensors.items()}:
        raise Misconfigured(f"{path} holds the weights of another network.")
    for weight in network.weights:
        weight.assign(tensors[weight.path].astype(np.float32))


def file_sha256(path: Path) -> str:
    """The digest of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
