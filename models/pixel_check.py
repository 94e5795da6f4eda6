"""Trains and measures the network that refuses what is no upright frontal chest film.

It is to be permissive: a film from another hospital that is refused costs more than a photograph
that is scored. Its films are made to look as from elsewhere, its threshold is low.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.acquisitions import ACQUISITIONS, acquired
from models.dataset import Film, Part, load_images
from models.ensemble import in_batches
from models.evaluation import wilson
from models.manifest import Estimate, PixelCheck
from models.members import load_member, weights_path
from models.other_images import KINDS, NEVER_TRAINED, draw
from models.other_images.changed_films import CHANGES, change, disguise
from models.preprocessing import Array8, network_input, reframe
from models.recipes import PIXEL_CHECK, Recipe
from models.training import LabelledImages, Report, silent, train_member
from models.weights import file_sha256, save_weights

if TYPE_CHECKING:
    import keras

#: Images of each kind that are drawn for training, for tuning, and to measure.
DRAWN = {Part.TRAIN: 160, Part.TUNE: 15, Part.HELD_OUT: 100}
#: Films of each part that are shown under each change; all of them if there are fewer.
CHANGED = {Part.TRAIN: 700, Part.TUNE: 60, Part.HELD_OUT: 1000}
#: Share of the drawn images that are warped, that are mixed with another, and that get the grey
#: values of a film.
WARPED, MIXED, DISGUISED = 0.4, 0.15, 0.25
#: Share of the tuning films, over all acquisitions, that the check may refuse.
REFUSED = 0.001
#: By how much its odds are lowered below the threshold that this gives, and the largest threshold.
MARGIN, LARGEST = 4.0, 0.5


def train_pixel_check(
    parts: Mapping[Part, Sequence[Film]],
    folder: Path,
    *,
    seed: int,
    recipe: Recipe = PIXEL_CHECK,
    drawn: Mapping[Part, int] = DRAWN,
    report: Report = silent,
) -> PixelCheck:
    """Train the check on the training films, set its threshold, measure it on the held-out films.

    folder: gets the weights, `pixel-check.safetensors`, and the curves; weights that lie there
    are kept. drawn: images of each kind in each part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    films = {part: load_images(parts[part]) for part in Part}
    if not weights_path(folder, recipe).exists():
        train = training_images(films[Part.TRAIN], drawn[Part.TRAIN], seed)
        tune = tuning_images(films[Part.TUNE], drawn[Part.TUNE], seed + 1)
        trained = train_member(recipe, train, tune, folder, seed=seed, report=report)
        save_weights(trained, weights_path(folder, recipe))
    network = load_member(folder, recipe)

    def says(images: Array8) -> np.ndarray:
        return in_batches(network, network_input(images, recipe.input_size))

    threshold = choose_threshold(
        np.concatenate([says(acquired(films[Part.TUNE], name)) for name in ACQUISITIONS])
    )
    refused = int(np.sum(says(films[Part.HELD_OUT]) < threshold))
    return _described(
        recipe,
        network,
        folder,
        threshold,
        wilson(refused, len(films[Part.HELD_OUT])),
        caught(says, threshold, films[Part.HELD_OUT], drawn[Part.HELD_OUT], seed + 2),
    )


def training_images(films: Array8, count: int, seed: int) -> LabelledImages:
    """Every film as it is and as from elsewhere, changed films, and images of each trained kind.

    films: (n, 224, 224). count: images of each kind.
    """
    generator = np.random.default_rng(seed)
    elsewhere = np.stack([as_elsewhere(film, generator) for film in films])
    others = [
        change(_some(pool, CHANGED[Part.TRAIN] // 2, generator), name, seed)
        for name in CHANGES
        for pool in (films, elsewhere)
    ]
    drawn = np.concatenate([draw(kind, count, seed) for kind in sorted(_trained())])
    others.append(varied(drawn, films, generator))
    return _labelled(np.concatenate([films, elsewhere]), np.concatenate(others))


def tuning_images(films: Array8, count: int, seed: int) -> LabelledImages:
    """The films, some of them changed, and fresh images of each trained kind."""
    generator = np.random.default_rng(seed)
    changed = [change(_some(films, CHANGED[Part.TUNE], generator), name, seed) for name in CHANGES]
    drawn = [draw(kind, count, seed) for kind in sorted(_trained())]
    return _labelled(films, np.concatenate([*changed, *drawn]))


def caught(
    says: Callable[[Array8], np.ndarray], threshold: float, films: Array8, count: int, seed: int
) -> dict[str, float]:
    """The share that is refused of each kind, drawn anew, and of the films under each change."""
    few = _some(films, CHANGED[Part.HELD_OUT], np.random.default_rng(seed))
    shares = {name: float(np.mean(says(change(few, name, seed)) < threshold)) for name in CHANGES}
    for kind in KINDS:
        told = f"{kind} (never trained)" if kind in NEVER_TRAINED else kind
        shares[told] = float(np.mean(says(draw(kind, count, seed)) < threshold))
    return shares


def choose_threshold(said: np.ndarray) -> float:
    """The threshold, well below all but `REFUSED` of what the check says of chest films, (n,)."""
    kept = float(np.sort(said)[math.floor(REFUSED * len(said))])
    odds = kept / max(1 - kept, 1e-6) / MARGIN
    return min(LARGEST, max(odds / (1 + odds), 1e-4))


def as_elsewhere(film: Array8, generator: np.random.Generator) -> Array8:
    """A film as from another department: acquired otherwise, framed and marked otherwise."""
    # Together with the augmentation, more than one such step would leave a piece of a chest.
    film = ACQUISITIONS[str(generator.choice(list(ACQUISITIONS)))](film)
    wide, high = np.exp(generator.uniform(-0.2, 0.2, 2))
    film = reframe(film, np.diag([1 / wide, 1 / high])).copy()
    if generator.random() < 0.4:
        _veil(film, generator)
    if generator.random() < 0.4:
        _rim(film, generator)
    for _ in range(int(generator.integers(0, 4))):
        _mark(film, generator)
    return film


def varied(images: Array8, films: Array8, generator: np.random.Generator) -> Array8:
    """Other images, some of them warped, mixed, or with the grey values of a film."""
    changed = images.copy()
    for place, image in enumerate(images):
        if generator.random() < MIXED:
            share = generator.uniform(0.3, 0.7)
            other = images[int(generator.integers(len(images)))]
            image = (share * image + (1 - share) * other).astype(np.uint8)
        if generator.random() < WARPED:
            image = warped(image, generator)
        if generator.random() < DISGUISED:
            image = disguise(image, films[int(generator.integers(len(films)))])
        changed[place] = image
    return changed


def warped(image: Array8, generator: np.random.Generator) -> Array8:
    """Bent smoothly, by up to a tenth of the side. image: (size, size); returns the same."""
    from scipy import ndimage

    size = image.shape[0]
    bends = generator.uniform(-0.1, 0.1, (2, 4, 4)) * size
    moved = [ndimage.zoom(bend, size / 4, order=3) for bend in bends]
    places = np.mgrid[:size, :size] + np.stack(moved)
    bent: Array8 = ndimage.map_coordinates(image, places, order=1, mode="nearest")
    return bent


def _veil(film: Array8, generator: np.random.Generator) -> None:
    """Part of the chest white, as by an effusion or consolidation. Changes the film."""
    side = film.shape[0]
    y, x = np.mgrid[:side, :side] / side
    left, top = generator.uniform(0.15, 0.85), generator.uniform(0.3, 0.95)
    wide, high = generator.uniform(0.1, 0.3, 2)
    share = generator.uniform(0.3, 0.9) * np.exp(
        -(((x - left) / wide) ** 2) - ((y - top) / high) ** 2
    )
    bright = float(np.percentile(film, 90))
    film[:] = np.where(film < bright, film + share * (bright - film), film).astype(np.uint8)


def _rim(film: Array8, generator: np.random.Generator) -> None:
    """The edges of a collimated field, or of a sheet that was scanned. Changes the film."""
    ground = int(generator.choice([0, 0, 0, 30, 255]))
    top, left, bottom, right = generator.integers(0, film.shape[0] // 9, 4)
    film[:top] = film[film.shape[0] - bottom :] = ground
    film[:, :left] = film[:, film.shape[1] - right :] = ground


def _mark(film: Array8, generator: np.random.Generator) -> None:
    """A letter of lead, a label, a cable or a tube. Changes the film."""
    side = film.shape[0]
    grey = int(generator.choice([255, 255, 230, 0]))
    if generator.random() < 0.5:
        high, wide = generator.integers(3, 16), generator.integers(3, 45)
        top, left = generator.integers(0, [side - high, side - wide])
        film[top : top + high, left : left + wide] = grey
        film[top + 2 : top + high - 2, left + 2 : left + wide - 2 : 3] = 255 - grey
        return
    share = np.linspace(0, 1, 2 * side)[:, np.newaxis]
    start, bend, end = generator.uniform(0, side - 2, (3, 2))
    path = (1 - share) ** 2 * start + 2 * share * (1 - share) * bend + share**2 * end
    rows, columns = path.astype(int).T
    film[rows, columns] = film[rows + 1, columns] = 230


def _trained() -> set[str]:
    return set(KINDS) - NEVER_TRAINED


def _some(films: Array8, count: int, generator: np.random.Generator) -> Array8:
    return films[generator.permutation(len(films))[:count]]


def _labelled(chests: Array8, others: Array8) -> LabelledImages:
    labels = np.repeat([1, 0], [len(chests), len(others)])
    return LabelledImages(np.concatenate([chests, others]), labels)


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
