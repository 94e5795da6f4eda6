"""An ensemble in memory: model-ready images in, probabilities out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from models.batch_norm_folding import folded
from models.combining import Probabilities, calibrated, combine, logit, sigmoid
from models.manifest import EnsembleMember, Manifest, PixelCheck, check_files, load_manifest
from models.memory import keep_freed_memory, let_gpu_memory_grow
from models.networks import build
from models.precision import choose_precision
from models.preprocessing import Array8, network_input, soften
from models.unlike.loading import LoadedUnlikeCheck, load_unlike_check
from models.weights import load_weights
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

if TYPE_CHECKING:
    import keras

#: Each output of a network, (n, …).
Outputs = list[np.ndarray]
#: Batches are filled up to one of these sizes, so that each network is compiled for these only.
BATCH_SIZES = (1, 8, 32)


class ScoringModel(Protocol):
    """Scorer of images."""

    @property
    def version(self) -> str:
        """The version under which its scores are kept."""

    @property
    def threshold(self) -> float:
        """Probability at or above which an image is flagged."""

    @property
    def prevalence(self) -> float | None:
        """Share of pneumonia that its probabilities presuppose; None if nobody knows."""

    def predict(self, images: Array8) -> list[ImageScore | Refused]:
        """Score model-ready images, (n, 224, 224) uint8, in their order.

        An image that is no frontal chest film gets a refusal instead of a score.
        """


@dataclass(frozen=True, slots=True)
class NetworkEnsemble:
    """Networks, loaded and ready, with what turns their answers into one.

    check: the network of the manifest's pixel check, where it has one. unlike: its check of films
    that are unlike those of the validation, where it has one.
    """

    manifest: Manifest
    networks: Sequence["keras.Model"]
    check: "keras.Model | None" = None
    unlike: LoadedUnlikeCheck | None = None

    @property
    def version(self) -> str:
        """The version under which its scores are kept."""
        return self.manifest.version

    @property
    def threshold(self) -> float:
        """Probability at or above which an image is flagged."""
        return self.manifest.threshold

    @property
    def prevalence(self) -> float | None:
        """Share of pneumonia that its probabilities presuppose; None if nobody knows."""
        return self.manifest.prevalence

    def predict(self, images: Array8) -> list[ImageScore | Refused]:
        """Score model-ready images, (n, 224, 224) uint8, in their order.

        An image that is no frontal chest film gets a refusal instead of a score.
        """
        _check_model_ready(images)
        if not len(images):
            return []
        chest = self.is_chest(images)
        scores = iter(self.scores(images[chest]))
        return [
            next(scores) if is_chest else Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH)
            for is_chest in chest
        ]

    def is_chest(self, images: Array8) -> np.ndarray:
        """Apply the pixel check to model-ready images: (n,) bool; all pass where there is none."""
        rule = self.manifest.pixel_check
        if rule is None or self.check is None:
            return np.ones(len(images), dtype=bool)
        probabilities = in_batches(self.check, network_input(images, rule.input_size))
        return probabilities >= rule.threshold

    def scores(self, images: Array8) -> list[ImageScore]:
        """Score model-ready images, (n, 224, 224) uint8, whatever they show."""
        if not len(images):
            return []
        members, calibration = self.manifest.members, self.manifest.calibration
        outputs = member_outputs(members, self._scoring_networks(), images)
        logits = {name: calibrated(_logits(views), calibration) for name, views in outputs.items()}
        weights = [member.weight for member in members]
        combined = sigmoid(combine(list(logits.values()), weights))
        each = {name: sigmoid(values) for name, values in logits.items()}
        unlike = self._unlike(outputs, len(images))
        return [
            ImageScore(
                float(p), {name: float(values[i]) for name, values in each.items()}, unlike[i]
            )
            for i, p in enumerate(combined)
        ]

    def _scoring_networks(self) -> list["keras.Model"]:
        """The members' networks; that of the check of unlike films gives its features too."""
        check = self.unlike
        return [
            check.network if check is not None and member.name == check.rule.member else network
            for member, network in zip(self.manifest.members, self.networks, strict=True)
        ]

    def _unlike(self, outputs: Mapping[str, Sequence[Outputs]], count: int) -> list[bool | None]:
        check = self.unlike
        if check is None:
            return [None] * count
        features = [by_output[1] for by_output in outputs[check.rule.member]]
        return [bool(marked) for marked in check.unlike(features)]


def load_ensemble(
    folder: Path,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    *,
    as_trained: bool = False,
) -> NetworkEnsemble:
    """Load and check the ensemble in a folder. Each network is compiled at its first batches.

    precision: arithmetic of the networks; `auto` is bfloat16 where the hardware computes in it.
    as_trained: keep batch normalisation, which else is folded into the convolutions.
    Raises Misconfigured if a file is missing, garbled or not the one that the manifest names.
    """
    manifest = load_manifest(folder)
    check_files(folder, manifest)
    keep_freed_memory()
    let_gpu_memory_grow()
    dtype = choose_precision(precision)

    def network(part: EnsembleMember | PixelCheck) -> "keras.Model":
        return _network(part, folder, dtype, as_trained)

    networks = {member.name: network(member) for member in manifest.members}
    check, unlike = manifest.pixel_check, manifest.unlike
    return NetworkEnsemble(
        manifest,
        list(networks.values()),
        network(check) if check else None,
        load_unlike_check(folder, unlike, networks) if unlike else None,
    )


def member_logits(
    members: Sequence[EnsembleMember],
    networks: Sequence["keras.Model"],
    images: Array8,
) -> dict[str, np.ndarray]:
    """Logits of each member for model-ready images, before calibration, by name.

    images: (n, 224, 224) uint8. Returns (n,) float64 each, the mean over its views.
    """
    outputs = member_outputs(members, networks, images)
    return {name: _logits(views) for name, views in outputs.items()}


def combined_logits(
    members: Sequence[EnsembleMember],
    networks: Sequence["keras.Model"],
    images: Array8,
) -> Probabilities:
    """Logits of an ensemble for model-ready images, before calibration: (n,) float64.

    images: (n, 224, 224) uint8.
    """
    by_member = member_logits(members, networks, images)
    return combine(list(by_member.values()), [member.weight for member in members])


def member_outputs(
    members: Sequence[EnsembleMember],
    networks: Sequence["keras.Model"],
    images: Array8,
) -> dict[str, list[Outputs]]:
    """Compute what each member's network gives out, in each of its views, by the member's name.

    images: (n, 224, 224) uint8. The first output is the probabilities, (n, 1).
    """
    outputs: dict[str, list[Outputs]] = {member.name: [] for member in members}
    named = {member.name: network for member, network in zip(members, networks, strict=True)}
    for member, inputs in member_inputs(members, images):
        outputs[member.name].append(outputs_in_batches(named[member.name], inputs))
    return outputs


def member_inputs(
    members: Sequence[EnsembleMember], images: Array8
) -> Iterator[tuple[EnsembleMember, npt.NDArray[np.float32]]]:
    """Inputs of each member, (n, size, size, 1), one for each of its views.

    images: (n, 224, 224) uint8. Blurring takes longest of it, so views of one blur share it.
    """
    soft: dict[float, Array8] = {}
    for member in members:
        for view in member.views:
            if view.blur not in soft:
                soft[view.blur] = np.stack([soften(image, view.blur) for image in images])
            sharp = replace(view, blur=0.0)
            yield member, network_input(soft[view.blur], member.input_size, sharp)


def in_batches(network: "keras.Model", inputs: np.ndarray) -> np.ndarray:
    """The network's probabilities, (n,), in batches of compiled sizes filled up with zeros."""
    return _probabilities(outputs_in_batches(network, inputs))


def outputs_in_batches(network: "keras.Model", inputs: np.ndarray) -> Outputs:
    """Each output of the network, (n, …), in batches of compiled sizes filled up with zeros."""
    batches: list[Outputs] = []
    start = 0
    while start < len(inputs):
        size = _batch_size(len(inputs) - start)
        batch = inputs[start : start + size]
        filled = np.zeros((size, *inputs.shape[1:]), dtype=np.float32)
        filled[: len(batch)] = batch
        results = network.predict_on_batch(filled)
        outputs = results if isinstance(results, list) else [results]
        batches.append([np.asarray(output)[: len(batch)] for output in outputs])
        start += size
    return [np.concatenate(output) for output in zip(*batches, strict=True)]


def _probabilities(outputs: Outputs) -> np.ndarray:
    return outputs[0][:, 0].astype(np.float64)


def _logits(by_view: Sequence[Outputs]) -> np.ndarray:
    """The mean over a member's views, (n,) float64."""
    views = [logit(_probabilities(outputs)) for outputs in by_view]
    return np.asarray(np.mean(views, axis=0))


def _batch_size(left: int) -> int:
    """The next batch: the largest that is full, or one that is at least half full."""
    full = max(size for size in BATCH_SIZES if size <= left)
    above = min((size for size in BATCH_SIZES if size >= left), default=full)
    return above if 2 * left >= above else full


def _network(
    part: EnsembleMember | PixelCheck, folder: Path, dtype: str, as_trained: bool
) -> "keras.Model":
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if dtype == "bfloat16" else "float32")
    try:
        network = build(part.network, part.input_size)
    finally:
        keras.config.set_dtype_policy(before)
    load_weights(network, folder / part.file)
    return network if as_trained else folded(network)


def _check_model_ready(images: Array8) -> None:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"no model-ready images: {images.dtype} of shape {images.shape}")
