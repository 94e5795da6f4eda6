"""The other images, and a pixel check trained briefly on a few films."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from laboratory.data.dataset import LabelledFilm, Subset, split
from laboratory.negative_images import KINDS, NEVER_TRAINED, draw
from laboratory.negative_images.changed_films import CHANGES, change, disguise
from laboratory.negative_images.pictures import PROJECTIONS, frontal_projections
from laboratory.pixel_check.train_pixel_check import choose_threshold, train_pixel_check
from laboratory.pixel_check.training_images import as_elsewhere, training_images, varied, warped
from laboratory.training.recipes import PIXEL_CHECK, RECIPES
from models.digests import file_sha256
from models.manifest import PixelCheck
from models.networks import build
from models.preprocessing import Array8, network_input, standardise
from models.weights import load_weights

#: Films of each part that the brief training sees.
FEW = {Subset.TRAIN: 120, Subset.TUNE: 30, Subset.HELD_OUT: 40}


def invented_film(seed: int = 0) -> Array8:
    """Two dark fields side by side on a bright ground that gets brighter downwards."""
    y, x = np.mgrid[-1:1:224j, -1:1:224j]
    lungs = sum(
        np.exp(-(((x - side) / 0.25) ** 4) - ((y + 0.1) / 0.55) ** 4) for side in (-0.45, 0.45)
    )
    noise = np.random.default_rng(seed).normal(0, 4, x.shape)
    film: Array8 = np.clip(150 + 50 * y - 90 * lungs + noise, 0, 255).astype(np.uint8)
    return film


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn(kind: str) -> None:
    images = draw(kind, 3, seed=5)
    assert images.shape == (3, 224, 224)
    assert images.dtype == np.uint8
    assert np.array_equal(images, draw(kind, 3, seed=5))
    assert not np.array_equal(images, draw(kind, 3, seed=6))
    assert not np.array_equal(images[0], images[1])


def test_some_kinds_are_kept_for_the_measurement() -> None:
    assert set(KINDS) > NEVER_TRAINED
    assert len(NEVER_TRAINED) >= 5


def test_the_projections_are_small_and_say_where_they_come_from() -> None:
    files = sorted(PROJECTIONS.iterdir())
    assert "CC BY 3.0" in (PROJECTIONS / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert len(files) > 50
    assert sum(file.stat().st_size for file in files) < 600_000
    assert len(frontal_projections()) == 5


@pytest.mark.parametrize("name", CHANGES)
def test_changed_films_are_other_images(name: str) -> None:
    films = np.stack([invented_film(seed) for seed in range(3)])
    changed = change(films, name, seed=1)
    assert changed.shape == films.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, change(films, name, seed=1))
    assert np.mean(np.abs(changed.astype(int) - films)) > 10


def test_an_inverted_film_is_the_negative() -> None:
    films = invented_film()[np.newaxis]
    assert np.array_equal(change(films, "inverted grey scale", seed=0), 255 - films)


def test_a_disguise_brings_the_grey_values_of_a_film() -> None:
    film, image = invented_film(), draw("noise", 1, seed=0)[0]
    disguised = disguise(image, film)
    assert np.array_equal(np.sort(disguised, axis=None), np.sort(film, axis=None))
    darker, brighter = np.argmin(image), np.argmax(image)
    assert disguised.flat[darker] <= disguised.flat[brighter]


def test_a_film_from_elsewhere_is_still_like_the_film() -> None:
    film = invented_film()
    generator = np.random.default_rng(3)
    others = [as_elsewhere(film, generator) for _ in range(12)]
    assert all(other.shape == film.shape and other.dtype == np.uint8 for other in others)
    assert not any(np.array_equal(other, film) for other in others)
    alike = [float(np.corrcoef(film.ravel(), other.ravel())[0, 1]) for other in others]
    assert np.median(alike) > 0.3
    assert np.array_equal(film, invented_film())


def test_other_images_are_varied_reproducibly() -> None:
    images, films = draw("drawings", 12, seed=2), np.stack([invented_film()])
    once, again = (varied(images, films, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(once, again)
    assert once.shape == images.shape
    assert not np.array_equal(once, images)
    bent = warped(images[0], np.random.default_rng(4))
    assert bent.shape == images[0].shape
    assert bent.dtype == np.uint8


def test_what_the_check_learns_from() -> None:
    films = np.stack([invented_film(seed) for seed in range(4)])
    data = training_images(films, count=1, seed=0)
    assert np.count_nonzero(data.labels == 1) == 2 * len(films)
    assert np.array_equal(data.images[:4], films)
    trained = len(KINDS) - len(NEVER_TRAINED)
    assert np.count_nonzero(data.labels == 0) == 2 * len(CHANGES) * len(films) + trained
    assert len(data.images) == len(data.labels)


def test_the_threshold_lies_below_what_is_said_of_the_films() -> None:
    probabilities = np.linspace(0.2, 0.9, 2001)
    assert choose_threshold(probabilities) < probabilities[2]
    assert choose_threshold(np.array([0.99, 0.999])) <= 0.5
    assert 0 < choose_threshold(np.array([0.0, 1.0])) < 0.001


def test_the_network_is_small() -> None:
    network = build(PIXEL_CHECK.network, PIXEL_CHECK.input_size)
    assert network.count_params() < 150_000
    assert RECIPES["pixel-check"] is PIXEL_CHECK


def test_the_weights_fit_however_many_networks_were_built(tmp_path: Path) -> None:
    from models.weights import save_weights

    first, second = (build(PIXEL_CHECK.network, PIXEL_CHECK.input_size) for _ in range(2))
    save_weights(first, tmp_path / "weights.safetensors")
    load_weights(second, tmp_path / "weights.safetensors")


@dataclass(frozen=True)
class Trained:
    check: PixelCheck
    folder: Path
    held_out: list[LabelledFilm]


@pytest.fixture(scope="module")
def trained(training_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    parts = split(_some_films(training_data), seed=1)
    few = {part: films[: FEW[part]] for part, films in parts.items()}
    folder = tmp_path_factory.mktemp("check")
    recipe = replace(PIXEL_CHECK, epochs=3)
    drawn = {Subset.TRAIN: 12, Subset.TUNE: 2, Subset.HELD_OUT: 4}
    check = train_pixel_check(few, folder, seed=1, recipe=recipe, drawn=drawn)
    return Trained(check, folder, few[Subset.HELD_OUT])


def test_a_brief_training_refuses_few_films(trained: Trained) -> None:
    refusals = trained.check.false_refusals
    assert refusals.low <= refusals.value <= refusals.high
    assert refusals.value <= 0.1
    assert 0 < trained.check.threshold <= 0.5


def test_a_brief_training_measures_every_kind(trained: Trained) -> None:
    caught = trained.check.caught
    marked = {name for name in caught if name.endswith(" (never trained)")}
    assert marked == {f"{kind} (never trained)" for kind in NEVER_TRAINED}
    plain = {name.removesuffix(" (never trained)") for name in caught}
    assert plain == {*KINDS, *CHANGES}
    assert all(0 <= share <= 1 for share in caught.values())


def test_the_weights_and_the_curves_are_kept(trained: Trained) -> None:
    check = trained.check
    assert file_sha256(trained.folder / check.file) == check.sha256
    assert (trained.folder / "pixel-check.curves.csv").exists()
    network = build(check.network, check.input_size)
    load_weights(network, trained.folder / check.file)
    assert network.count_params() == check.parameters
    probabilities = network(
        network_input(standardise(invented_film())[np.newaxis], check.input_size)
    )
    assert 0 <= float(np.asarray(probabilities)[0, 0]) <= 1


def _some_films(folder: Path) -> list[LabelledFilm]:
    """The first films of each class, so that not all of them are read."""
    chosen = 180
    few = []
    for label, name in enumerate(("NORMAL", "PNEUMONIA")):
        paths = sorted((folder / "train" / name).iterdir())[:chosen]
        few += [LabelledFilm(path, label, path.stem, name.lower()) for path in paths]
    return few
