"""Frozen features: what the last unit of each member of an ensemble reads of a film."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.combining import combine, logit, sigmoid
from models.ensemble import BATCH_SIZES, NetworkEnsemble, member_inputs, outputs_in_batches
from models.preprocessing import Array8
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float64]
BATCH = max(BATCH_SIZES)


@dataclass(frozen=True, slots=True)
class LastUnit:
    """The sigmoid unit in which a network ends. kernel: (features,)."""

    kernel: Array
    bias: float


@dataclass(frozen=True, slots=True, eq=False)
class FilmFeatures:
    """Films as the frozen networks of an ensemble see them.

    logits: (n,), combined over the members, before the calibration. features: (n, p), each the
    mean over a member's views; those of all members side by side, in their order. widths: number
    of features of each member, which sum to p.
    """

    logits: Array
    features: npt.NDArray[np.float32]
    widths: tuple[int, ...]


def extract_features(
    ensemble: NetworkEnsemble,
    images: Array8,
    progress: Callable[[Iterable[slice]], Iterable[slice]] = lambda batches: batches,
) -> FilmFeatures:
    """Compute the features of model-ready images, (n, 224, 224) uint8, each film once a view.

    progress: passes the batches on, and tells how far they are. Raises Misconfigured if a network
    does not end in one unit.
    """
    members = ensemble.manifest.members
    units = [last_unit(network) for network in ensemble.networks]
    readers = {
        member.name: (_before_last_unit(network), unit)
        for member, network, unit in zip(members, ensemble.networks, units, strict=True)
    }
    logits: list[Array] = []
    features: list[npt.NDArray[np.float32]] = []
    for batch in progress(batches(len(images))):
        of_views: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in readers}
        for member, inputs in member_inputs(members, images[batch]):
            (rows,) = outputs_in_batches(readers[member.name][0], inputs)
            of_views[member.name].append(rows.astype(np.float32))
        by_member = [
            np.mean([_logits(rows, readers[name][1]) for rows in views], axis=0)
            for name, views in of_views.items()
        ]
        logits.append(combine(by_member, [member.weight for member in members]))
        features.append(
            np.concatenate([np.mean(views, axis=0) for views in of_views.values()], axis=1)
        )
    widths = tuple(len(unit.kernel) for unit in units)
    return FilmFeatures(np.concatenate(logits), np.concatenate(features), widths)


def batches(films: int) -> Sequence[slice]:
    """Cut so many films into batches."""
    return [slice(start, min(start + BATCH, films)) for start in range(0, films, BATCH)]


def last_unit(network: "keras.Model") -> LastUnit:
    """Read the unit in which a network ends. Raises Misconfigured if it ends otherwise."""
    weights = network.layers[-1].get_weights()
    if len(weights) != 2 or weights[0].ndim != 2 or weights[0].shape[1] != 1:
        raise Misconfigured(f"Network {network.name} does not end in one unit over features.")
    kernel, bias = weights
    return LastUnit(kernel[:, 0].astype(np.float64), float(bias[0]))


def _before_last_unit(network: "keras.Model") -> "keras.Model":
    from keras import Model

    return Model(network.input, network.layers[-1].input)


def _logits(rows: npt.NDArray[np.float32], unit: LastUnit) -> Array:
    """Logits of a view, as the network's probabilities have them: finite."""
    return logit(sigmoid(rows.astype(np.float64) @ unit.kernel + unit.bias))
