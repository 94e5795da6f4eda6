"""An ensemble in memory: model-ready images in, probabilities out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from models.combining import combine
from models.manifest import Calibration, Member, check_files, load_manifest
from models.networks import build
from models.precision import choose_precision, let_gpu_memory_grow
from models.preprocessing import MODEL_READY_SIZE, Array8, network_input
from models.weights import load_weights
from readfirst.domain import ImageScore

if TYPE_CHECKING:
    import keras

#: Batches are filled up to one of these sizes, so that each network is compiled for these only.
BATCH_SIZES = (1, 8, 32)


class Ensemble(Protocol):
    """What scores images."""

    @property
    def version(self) -> str:
        """The version under which its scores are kept."""

    @property
    def threshold(self) -> float:
        """Probability at or above which an image is flagged."""

    def predict(self, images: Array8) -> list[ImageScore]:
        """Score model-ready images, (n, 224, 224) uint8, in their order."""


class NetworkEnsemble:
    """Networks, loaded and ready, with what turns their answers into one."""

    def __init__(
        self,
        version: str,
        threshold: float,
        calibration: Calibration,
        members: Sequence[Member],
        networks: Sequence["keras.Model"],
    ) -> None:
        self.version = version
        self.threshold = threshold
        self._calibration = calibration
        self._members = members
        self._networks = networks

    def predict(self, images: Array8) -> list[ImageScore]:
        """Score model-ready images, (n, 224, 224) uint8, in their order."""
        if images.ndim != 3 or images.dtype != np.uint8:
            raise ValueError(f"no model-ready images: {images.dtype} of shape {images.shape}")
        if not len(images):
            return []
        said = member_probabilities(self._members, self._networks, images)
        weights = [member.weight for member in self._members]
        combined = combine(list(said.values()), weights, self._calibration)
        return [
            ImageScore(float(p), {name: float(values[i]) for name, values in said.items()})
            for i, p in enumerate(combined)
        ]

    def warm_up(self) -> None:
        """Compile every network for every batch size, so that no film waits for it."""
        for size in BATCH_SIZES:
            self.predict(np.zeros((size, MODEL_READY_SIZE, MODEL_READY_SIZE), dtype=np.uint8))


class FixedEnsemble:
    """Hands out the probabilities it was given, in order and then again: for tests."""

    def __init__(
        self, probabilities: Sequence[float], version: str = "fixed", threshold: float = 0.5
    ) -> None:
        self.version = version
        self.threshold = threshold
        self._probabilities = list(probabilities)
        self._next = 0

    def predict(self, images: Array8) -> list[ImageScore]:
        """One score for each image, whatever it shows."""
        scores = []
        for _ in images:
            probability = self._probabilities[self._next % len(self._probabilities)]
            self._next += 1
            scores.append(ImageScore(probability, {"fixed": probability}))
        return scores


def load_ensemble(
    folder: Path, precision: Literal["auto", "float32", "bfloat16"] = "auto"
) -> NetworkEnsemble:
    """Load, check and warm up the ensemble in a folder.

    precision: arithmetic of the networks; `auto` is bfloat16 where the hardware computes in it.
    Raises Misconfigured if a file is missing, garbled or not the one that the manifest names.
    """
    manifest = load_manifest(folder)
    check_files(folder, manifest)
    let_gpu_memory_grow()
    dtype = choose_precision(precision)
    ensemble = NetworkEnsemble(
        manifest.version,
        manifest.threshold,
        manifest.calibration,
        manifest.members,
        [_network(member, folder, dtype) for member in manifest.members],
    )
    ensemble.warm_up()
    return ensemble


def member_probabilities(
    members: Sequence[Member], networks: Sequence["keras.Model"], images: Array8
) -> dict[str, np.ndarray]:
    """What each member says of model-ready images, by name: (n,) float64 each."""
    return {
        member.name: _in_batches(network, network_input(images, member.input_size))
        for member, network in zip(members, networks, strict=True)
    }


def _network(member: Member, folder: Path, dtype: str) -> "keras.Model":
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if dtype == "bfloat16" else "float32")
    try:
        network = build(member.network, member.input_size)
    finally:
        keras.config.set_dtype_policy(before)
    load_weights(network, folder / member.file)
    return network


def _in_batches(network: "keras.Model", inputs: np.ndarray) -> np.ndarray:
    """The network's probabilities, (n,), in batches of compiled sizes filled up with zeros."""
    results, start = [], 0
    while start < len(inputs):
        left = len(inputs) - start
        size = next((size for size in BATCH_SIZES if size >= left), BATCH_SIZES[-1])
        batch = inputs[start : start + size]
        filled = np.zeros((size, *inputs.shape[1:]), dtype=np.float32)
        filled[: len(batch)] = batch
        results.append(np.asarray(network.predict_on_batch(filled))[: len(batch), 0])
        start += size
    return np.concatenate(results).astype(np.float64)
