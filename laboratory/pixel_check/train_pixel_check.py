"""Training and measurement of the network that refuses what is no upright frontal chest film.

It is to be permissive: a film from another hospital that is refused costs more than a photograph
that is scored. Its films are made to look as from elsewhere, its threshold is low.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.data.acquisition_shift import ACQUISITIONS, acquired
from laboratory.data.dataset import LabelledFilm, Subset, load_images
from laboratory.negative_images import KINDS, NEVER_TRAINED, draw
from laboratory.negative_images.changed_films import CHANGES, change
from laboratory.pixel_check.training_images import (
    CHANGED,
    some_of,
    training_images,
    tuning_images,
)
from laboratory.training.member_store import film_names, load_member, origin_path, weights_path
from laboratory.training.origin import check_origin, note_origin, origin_of
from laboratory.training.progress import ReportProgress, silent
from laboratory.training.recipes import PIXEL_CHECK, Recipe
from laboratory.training.train_member import train_member
from models.digests import file_sha256
from models.ensemble import in_batches
from models.manifest import Estimate, PixelCheck
from models.preprocessing import Array8, network_input
from models.weights import save_weights
from readfirst.statistics.shares import wilson_interval

if TYPE_CHECKING:
    import keras

#: Images of each kind that are drawn for training, for tuning, and to measure.
DRAWN = {Subset.TRAIN: 160, Subset.TUNE: 15, Subset.HELD_OUT: 100}
#: Share of the tuning films, over all acquisitions, that the check may refuse.
REFUSED = 0.001
#: By how much its odds are lowered below the threshold that this gives, and the largest threshold.
MARGIN, LARGEST = 4.0, 0.5


def train_pixel_check(
    parts: Mapping[Subset, Sequence[LabelledFilm]],
    folder: Path,
    *,
    seed: int,
    recipe: Recipe = PIXEL_CHECK,
    drawn: Mapping[Subset, int] = DRAWN,
    report: ReportProgress = silent,
) -> PixelCheck:
    """Train the check on the training films, set its threshold, measure it on the held-out films.

    folder: gets the weights, `pixel-check.safetensors`, and the curves; weights that lie there
    are kept. drawn: images of each kind in each part. Raises Misconfigured if they were trained
    by another recipe, on other films or with another seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note, weights = origin_path(folder, recipe), weights_path(folder, recipe)
    origin = origin_of(recipe, seed, dict(drawn), film_names(parts))
    if weights.exists():
        check_origin(note, origin, weights)
    films = {part: load_images(parts[part]) for part in Subset}
    if not weights.exists():
        train = training_images(films[Subset.TRAIN], drawn[Subset.TRAIN], seed)
        tune = tuning_images(films[Subset.TUNE], drawn[Subset.TUNE], seed + 1)
        trained = train_member(recipe, train, tune, folder, seed=seed, report=report)
        note_origin(note, origin)
        save_weights(trained, weights)
    network = load_member(folder, recipe)

    def probability_of(images: Array8) -> np.ndarray:
        return in_batches(network, network_input(images, recipe.input_size))

    threshold = choose_threshold(
        np.concatenate(
            [probability_of(acquired(films[Subset.TUNE], name)) for name in ACQUISITIONS]
        )
    )
    held_out = films[Subset.HELD_OUT]
    refused = int(np.sum(probability_of(held_out) < threshold))
    low, high = wilson_interval(refused, len(held_out))
    return _described(
        recipe,
        network,
        folder,
        threshold,
        Estimate(value=refused / len(held_out), low=low, high=high),
        caught(probability_of, threshold, held_out, drawn[Subset.HELD_OUT], seed + 2),
    )


def caught(
    probability_of: Callable[[Array8], np.ndarray],
    threshold: float,
    films: Array8,
    count: int,
    seed: int,
) -> dict[str, float]:
    """Measure the share refused of each kind, drawn anew, and of films under each change."""
    few = some_of(films, CHANGED[Subset.HELD_OUT], np.random.default_rng(seed))
    shares = {
        name: float(np.mean(probability_of(change(few, name, seed)) < threshold))
        for name in CHANGES
    }
    for kind in KINDS:
        name = f"{kind} (never trained)" if kind in NEVER_TRAINED else kind
        shares[name] = float(np.mean(probability_of(draw(kind, count, seed)) < threshold))
    return shares


def choose_threshold(probabilities: np.ndarray) -> float:
    """Choose the threshold, well below the probabilities of all but `REFUSED` of the chest films.

    probabilities: (n,), of chest films to be chest films.
    """
    kept = float(np.sort(probabilities)[math.floor(REFUSED * len(probabilities))])
    odds = kept / max(1 - kept, 1e-6) / MARGIN
    return min(LARGEST, max(odds / (1 + odds), 1e-4))


def _described(
    recipe: Recipe,
    network: "keras.Model",
    folder: Path,
    threshold: float,
    false_refusals: Estimate,
    shares: dict[str, float],
) -> PixelCheck:
    path = weights_path(folder, recipe)
    return PixelCheck(
        network=recipe.network,
        file=path.name,
        sha256=file_sha256(path),
        input_size=recipe.input_size,
        parameters=network.count_params(),
        threshold=threshold,
        false_refusals=false_refusals,
        caught=shares,
    )
