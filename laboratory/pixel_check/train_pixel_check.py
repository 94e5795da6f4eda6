"""Training and measurement of the network that refuses what is no upright frontal chest film.

It is to be permissive: a film from another hospital that is refused costs more than a photograph
that is scored. Its films are made to look as from elsewhere, its threshold is low. With films from
elsewhere it learns what those look like, and is measured on other patients of theirs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.data.acquisition_shift import ACQUISITIONS, acquired
from laboratory.data.dataset import LabelledFilm, Subset, load_images
from laboratory.data.elsewhere import FilmFromElsewhere
from laboratory.pixel_check.measurement import (
    ProbabilityOf,
    caught,
    real_caught,
    refused_by_source,
    refused_share,
)
from laboratory.pixel_check.real_images import RealImages, real_images, subset_of
from laboratory.pixel_check.training_images import training_images, tuning_images
from laboratory.training.member_store import film_names, load_member, origin_path, weights_path
from laboratory.training.origin import check_origin, note_origin, origin_of
from laboratory.training.progress import ReportProgress, silent
from laboratory.training.recipes import PIXEL_CHECK, Recipe
from laboratory.training.train_member import train_member
from models.digests import file_sha256
from models.ensemble import in_batches
from models.manifest import PixelCheck
from models.preprocessing import Array8, network_input
from models.weights import save_weights

if TYPE_CHECKING:
    import keras

#: Images of each kind that are drawn for training, for tuning, and to measure.
DRAWN = {Subset.TRAIN: 160, Subset.TUNE: 15, Subset.HELD_OUT: 100}
#: Share of the tuning films, over all acquisitions, that the check may refuse.
REFUSED = 0.001
#: By how much its odds are lowered below the threshold that this gives, and the largest threshold.
MARGIN, LARGEST = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class _Images:
    """What the check is made of: the films of each part, and the images from elsewhere."""

    films: Mapping[Subset, Array8]
    real: Mapping[Subset, RealImages]


def train_pixel_check(
    parts: Mapping[Subset, Sequence[LabelledFilm]],
    folder: Path,
    *,
    seed: int,
    elsewhere: Sequence[FilmFromElsewhere] = (),
    recipe: Recipe = PIXEL_CHECK,
    drawn: Mapping[Subset, int] = DRAWN,
    report: ReportProgress = silent,
) -> PixelCheck:
    """Train the check on the training films, set its threshold, measure it on the held-out films.

    folder: gets the weights, `pixel-check.safetensors`, and the curves; weights that lie there
    are kept. elsewhere: images from elsewhere, of which the patients to fit on join the training
    and the threshold, and the others the measurement. drawn: images of each kind in each part.
    Raises Misconfigured if they were trained by another recipe, on other films or with another
    seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note, weights = origin_path(folder, recipe), weights_path(folder, recipe)
    origin = _origin(recipe, seed, drawn, parts, elsewhere)
    if weights.exists():
        check_origin(note, origin, weights)
    images = _Images(
        {part: load_images(parts[part]) for part in Subset},
        {part: real_images(elsewhere, part) for part in Subset},
    )
    if not weights.exists():
        trained = _trained(recipe, images, folder, seed, drawn, report)
        note_origin(note, origin)
        save_weights(trained, weights)
    network = load_member(folder, recipe)

    def probability_of(images: Array8) -> np.ndarray:
        return in_batches(network, network_input(images, recipe.input_size))

    threshold = _threshold(probability_of, images)
    held_out, real = images.films[Subset.HELD_OUT], images.real[Subset.HELD_OUT]
    shares = caught(probability_of, threshold, held_out, drawn[Subset.HELD_OUT], seed + 2)
    path = weights_path(folder, recipe)
    return PixelCheck(
        network=recipe.network,
        file=path.name,
        sha256=file_sha256(path),
        input_size=recipe.input_size,
        parameters=network.count_params(),
        threshold=threshold,
        false_refusals=refused_share(probability_of(held_out) < threshold),
        caught={**shares, **real_caught(probability_of, threshold, real)},
        sources=refused_by_source(probability_of, threshold, real),
    )


def _origin(
    recipe: Recipe,
    seed: int,
    drawn: Mapping[Subset, int],
    parts: Mapping[Subset, Sequence[LabelledFilm]],
    elsewhere: Sequence[FilmFromElsewhere],
) -> str:
    facts: list[object] = [recipe, seed, dict(drawn), film_names(parts)]
    if elsewhere:
        facts.append([(subset_of(film).value, film.path.name, film.label) for film in elsewhere])
    return origin_of(*facts)


def _trained(
    recipe: Recipe,
    images: _Images,
    folder: Path,
    seed: int,
    drawn: Mapping[Subset, int],
    report: ReportProgress,
) -> "keras.Model":
    train, tune = Subset.TRAIN, Subset.TUNE
    return train_member(
        recipe,
        training_images(images.films[train], drawn[train], seed, images.real[train]),
        tuning_images(images.films[tune], drawn[tune], seed + 1, images.real[tune]),
        folder,
        seed=seed,
        report=report,
    )


def _threshold(probability_of: ProbabilityOf, images: _Images) -> float:
    """Choose the threshold at which all but a few films of every source pass, however acquired.

    The real films that were trained on count too: of some sources there are few others.
    """
    sources = [images.films[Subset.TUNE], *_fitted(images.real)]
    return min(
        choose_threshold(
            np.concatenate([probability_of(acquired(films, name)) for name in ACQUISITIONS])
        )
        for films in sources
    )


def _fitted(real: Mapping[Subset, RealImages]) -> list[Array8]:
    """All films of each source that are not kept for the measurement."""
    train, tune = real[Subset.TRAIN].chests, real[Subset.TUNE].chests
    return [
        np.concatenate([part[source] for part in (train, tune) if source in part])
        for source in sorted({*train, *tune})
    ]


def choose_threshold(probabilities: np.ndarray) -> float:
    """Choose the threshold, well below the probabilities of all but `REFUSED` of the chest films.

    probabilities: (n,), of chest films to be chest films.
    """
    kept = float(np.sort(probabilities)[math.floor(REFUSED * len(probabilities))])
    odds = kept / max(1 - kept, 1e-6) / MARGIN
    return min(LARGEST, max(odds / (1 + odds), 1e-4))
