"""The one training loop: order, weights, mixing, and going on after an interruption."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laboratory.training.batches import LabelledImages, class_weights, epoch_order
from laboratory.training.curves import read_curves
from laboratory.training.recipes import RECIPES, Recipe
from laboratory.training.train_member import train_member
from readfirst.errors import Misconfigured

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture(scope="module")
def films() -> LabelledImages:
    generator = np.random.default_rng(0)
    images = generator.integers(60, 120, (48, 224, 224), dtype=np.uint8)
    labels = np.arange(48) % 2
    images[labels == 1, 70:150, 70:150] = 230
    return LabelledImages(images, labels)


RECIPE = replace(RECIPES["cnn"], input_size=24, epochs=3, batch_size=16)


def test_class_weights_make_both_classes_count_alike() -> None:
    labels = np.array([0] * 1341 + [1] * 3875)
    weights = class_weights(labels)
    assert weights[0] == pytest.approx(1.9448, abs=1e-4)
    assert weights[1] == pytest.approx(0.6730, abs=1e-4)


def test_oversampling_repeats_the_smaller_class_only() -> None:
    labels = np.array([0] * 10 + [1] * 30)
    order = epoch_order(labels, "oversampling", np.random.default_rng(0))
    assert np.bincount(labels[order]).tolist() == [30, 30]
    assert sorted(order[labels[order] == 1]) == list(range(10, 40))
    plain = epoch_order(labels, "none", np.random.default_rng(0))
    assert sorted(plain) == list(range(40))


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        replace(RECIPE, averaging=0.0, mixup=0.2, loss="focal", balance="oversampling"),
        replace(RECIPE, optimizer="sgd", schedule="constant", plateau=1, patience=2),
        replace(RECIPE, optimizer="rmsprop", keep_best=True, monitor="val_loss"),
    ],
    ids=["ours", "focal", "sgd", "best"],
)
def test_every_kind_of_recipe_learns(recipe: object, films: LabelledImages, tmp_path: Path) -> None:
    train_member(recipe, films, films, tmp_path, seed=1)  # type: ignore[arg-type]
    curves = read_curves(tmp_path / "cnn.curves.csv")
    assert len(curves["loss"]) == 3
    assert min(curves["loss"][1:]) < curves["loss"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["cnn.curves.csv"]


class Interrupted(Exception):
    """Stands for a power cut."""


@pytest.mark.usefixtures("untraced_steps")
def test_an_interrupted_training_goes_on_after_its_last_whole_epoch(
    films: LabelledImages, tmp_path: Path
) -> None:
    def cut(done: int, _total: int, _figures: dict[str, float]) -> None:
        if done == 8:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_member(RECIPE, films, films, tmp_path, seed=1, report=cut)
    assert len(read_curves(tmp_path / "cnn.curves.csv")["loss"]) == 2
    steps: list[int] = []
    train_member(RECIPE, films, films, tmp_path, seed=1, report=lambda done, *_: steps.append(done))
    assert min(steps) == 7, "the third epoch begins with the seventh step"
    assert read_curves(tmp_path / "cnn.curves.csv")["epoch"] == [0, 1, 2]


def interrupt(recipe: Recipe, films: LabelledImages, folder: Path, seed: int) -> None:
    def cut(done: int, _total: int, _figures: dict[str, float]) -> None:
        if done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_member(recipe, films, films, folder, seed=seed, report=cut)


@pytest.mark.usefixtures("untraced_steps")
def test_no_training_goes_on_from_what_saw_other_films(
    films: LabelledImages, tmp_path: Path
) -> None:
    interrupt(RECIPE, films, tmp_path, seed=1)
    others = replace(films, images=films.images[::-1].copy())
    for recipe, train, tune, seed in (
        (RECIPE, others, films, 1),
        (RECIPE, films, others, 1),
        (replace(RECIPE, mixup=0.5), films, films, 1),
        (RECIPE, films, films, 2),
    ):
        with pytest.raises(Misconfigured, match="training was made by another recipe"):
            train_member(recipe, train, tune, tmp_path, seed=seed)
    assert len(read_curves(tmp_path / "cnn.curves.csv")["loss"]) == 1, "nothing is lost"
    train_member(RECIPE, films, films, tmp_path, seed=1)
    assert read_curves(tmp_path / "cnn.curves.csv")["epoch"] == [0, 1, 2]


def test_the_same_seed_trains_the_same_network(films: LabelledImages, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=1)
    first, second = (
        train_member(recipe, films, films, tmp_path / name, seed=5).get_weights()
        for name in ("a", "b")
    )
    for left, right in zip(first, second, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
