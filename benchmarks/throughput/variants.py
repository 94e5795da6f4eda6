"""The variants of scoring that are timed."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.throughput.timing import Precision, Task, Variant
from models.ensemble import BATCH_SIZES, NetworkEnsemble, member_inputs
from models.preprocessing import AS_IT_IS, Array8, FilmView, network_input, standardise
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

#: Batches among which every bare network has its best one.
BARE_BATCHES = (1, 2, 4, 8, 16, 32)
#: What the network of the pixel check is called beside the members.
PIXEL_CHECK = "pixel check"
LOADS = 3
#: Side of the matrices of the measured peak.
MATRIX = 4096

#: Imports TensorFlow, then says how long everything else takes until films can be scored.
LOADING = """
import logging
import sys
from pathlib import Path
from time import perf_counter
import tensorflow
logging.getLogger("tensorflow").setLevel("ERROR")
start = perf_counter()
from models.ensemble import load_ensemble
load_ensemble(Path(sys.argv[1]))
print(perf_counter() - start)
"""


@dataclass(frozen=True, slots=True)
class TimedNetwork:
    """A network of the ensemble, and the framings in which it sees each film."""

    name: str
    size: int
    views: tuple[FilmView, ...]
    network: "keras.Model"

    @property
    def flops(self) -> int:
        """Its operations for one film, in all framings."""
        return len(self.views) * flops(self.network)


def timed_networks(ensemble: NetworkEnsemble) -> list[TimedNetwork]:
    """The members, and the network of the pixel check where there is one."""
    manifest = ensemble.manifest
    parts = [
        TimedNetwork(member.name, member.input_size, member.views, network)
        for member, network in zip(manifest.members, ensemble.networks, strict=True)
    ]
    if manifest.pixel_check and ensemble.check is not None:
        size = manifest.pixel_check.input_size
        parts.append(TimedNetwork(PIXEL_CHECK, size, (AS_IT_IS,), ensemble.check))
    return parts


def tasks_of(ensemble: NetworkEnsemble, precision: Precision, films: Array8) -> dict[Variant, Task]:
    """Everything that is timed of an ensemble in one precision."""
    parts = timed_networks(ensemble)
    many = films[np.arange(max(BATCH_SIZES)) % len(films)]
    tasks: dict[Variant, Task] = {
        Variant("preprocessing", precision, len(many)): _preprocessing(ensemble, many),
    }
    for size in BATCH_SIZES:
        tasks[Variant("ensemble", precision, size)] = _predicting(ensemble, many[:size])
    for part in parts:
        for size in BARE_BATCHES:
            tasks[Variant("bare", precision, size, part.name)] = _bare(part, size)
    return tasks


def other_ensemble(
    other: NetworkEnsemble, precision: Precision, films: Array8
) -> dict[Variant, Task]:
    """The largest batch by another ensemble, to compare with."""
    size = max(BATCH_SIZES)
    many = films[np.arange(size) % len(films)]
    return {Variant("other ensemble", precision, size): _predicting(other, many)}


def studies_way(ensemble: NetworkEnsemble, films: Array8) -> Task:
    """`model.predict` for each file, network and view. ensemble: its networks as trained."""
    members = ensemble.manifest.members
    for network in ensemble.networks:
        # As the studies do.
        network.compile(loss="binary_crossentropy")

    def score() -> None:
        for film in films:
            for member, network in zip(members, ensemble.networks, strict=True):
                for view in member.views:
                    image = network_input(film[np.newaxis], member.input_size, view)
                    network.predict(image, verbose=0)

    return score


def matrix_product() -> Task:
    """The product of two square float32 matrices, by numpy."""
    a, b = np.random.default_rng(0).random((2, MATRIX, MATRIX), dtype=np.float32)
    result = np.empty_like(a)
    return lambda: np.matmul(a, b, out=result)


def chest_films(ensemble: NetworkEnsemble) -> Array8:
    """The sample films, model-ready, without those that the pixel check would refuse."""
    from ingest.dicom.pixels.display import display_image
    from readfirst.samples import sample_files

    films = np.stack([standardise(display_image(path)) for path in sample_files()])
    kept: Array8 = films[ensemble.is_chest(films)]
    if not len(kept):
        raise Misconfigured(f"Ensemble {ensemble.version} refuses every sample film.")
    return kept


def load_seconds(folder: Path) -> list[float]:
    """The seconds that fresh processes take to load an ensemble, once TensorFlow is imported."""
    command = [sys.executable, "-c", LOADING, str(folder.absolute())]
    return [
        float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        for _ in range(LOADS)
    ]


def flops(network: "keras.Model") -> int:
    """Operations for one image: two for each weight of a kernel at each place of its output.

    Counts convolutions, depthwise ones too, and dense layers; all else is little beside them.
    """
    from keras import layers

    counted = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    return sum(
        2 * int(np.prod(layer.output.shape[1:-1])) * int(np.prod(layer.kernel.shape))
        for layer in network.layers
        if isinstance(layer, counted)
    )


def _predicting(ensemble: NetworkEnsemble, films: Array8) -> Task:
    return lambda: ensemble.predict(films)


def _preprocessing(ensemble: NetworkEnsemble, films: Array8) -> Task:
    rule = ensemble.manifest.pixel_check

    def prepare() -> None:
        if rule is not None:
            network_input(films, rule.input_size)
        for _ in member_inputs(ensemble.manifest.members, films):
            pass

    return prepare


def _bare(part: TimedNetwork, batch: int) -> Task:
    """The network's compiled function of exactly this batch, on grey values already in place."""
    import tensorflow as tf

    shape = (batch, part.size, part.size, 1)
    grey = tf.constant(np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32))
    function = tf.function(
        lambda images: part.network(images, training=False), jit_compile=part.network.jit_compile
    ).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return lambda: function(grey).numpy()
