"""The search, with real trainings of a very small network."""

import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from laboratory.data.augmentation import STRONG, Augmentation
from laboratory.networks.published import PUBLISHED
from laboratory.training.batches import LabelledImages
from laboratory.training.recipes import RECIPES, Recipe
from laboratory.tuning import bayesian_search
from laboratory.tuning.bayesian_search import Trial, search
from laboratory.tuning.search_space import Space, neighbourhood, strengthened, widths, with_params
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.usefixtures("untraced_steps")
BASE = Recipe(
    name="small", network="blog-mlp", input_size=16, epochs=1, batch_size=16, learning_rate=3e-3
)
SEED = 7


def faint_films(count: int, seed: int) -> LabelledImages:
    """Noise over a faint pattern or its negative: no untrained network tells them apart."""
    pattern = np.random.default_rng(99).choice([-1, 1], (16, 16))
    noise = np.random.default_rng(seed).normal(128, 40, (count, 16, 16))
    labels = np.arange(count) % 2
    images = noise + 25 * pattern * (2 * labels - 1)[:, np.newaxis, np.newaxis]
    return LabelledImages(np.clip(images, 0, 255).astype(np.uint8), labels.astype(np.int64))


TRAIN, TUNE = faint_films(48, 0), faint_films(40, 1)


@pytest.fixture(scope="module", autouse=True)
def _imports_stay() -> None:
    """Look for garbage among newer objects only: the search does so after each trial."""
    import keras  # noqa: F401
    import optuna  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of the recipe is one unit: of a tiny training, the compiling takes longest."""

    def one_unit(size: int) -> "keras.Model":
        from keras import Input, Model, initializers, layers

        image = Input((size, size, 1))
        pixels = layers.Flatten()(layers.Rescaling(1 / 127.5, -1)(image))
        # At first it sums up the pixels, which tell nothing.
        alike = initializers.Constant(0.1)
        unit = layers.Dense(1, activation="sigmoid", kernel_initializer=alike)
        return Model(image, unit(pixels))

    monkeypatch.setitem(PUBLISHED, BASE.network, one_unit)


class Interruption(Exception):
    """As if the process ended."""


def outcome(trials: list[Trial]) -> list[tuple[object, ...]]:
    """Without the seconds."""
    return [(trial.number, dict(trial.params), round(trial.value, 4)) for trial in trials]


@pytest.fixture
def unskilled(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """No trainings, only their curves: the nearer the rate to 0.004, the better."""
    trained: list[Recipe] = []

    def pretended(recipe: Recipe, _train: object, _tune: object, folder: Path, **_: object) -> None:
        trained.append(recipe)
        auc = 1 - abs(np.log10(recipe.learning_rate / 4e-3)) / 2 - recipe.mixup / 10
        curves = f"epoch,val_auc,val_recall,val_loss\n0,{auc - 0.1},0.9,0.2\n1,{auc},0.6,0.4\n"
        (folder / f"{recipe.name}.curves.csv").write_text(curves)

    monkeypatch.setattr(bayesian_search, "train_member", pretended)
    monkeypatch.setattr("gc.collect", lambda: 0)
    return trained


def test_the_widths_reach_the_network_and_are_those_of_the_study(tmp_path: Path) -> None:
    space = widths()
    assert space.objective == "val_recall"
    allowed: dict[str, set[float]] = {
        "first": {32, 64, 96, 128},
        "second": {32, 64, 96, 128},
        "dense": {64, 128, 192, 256},
        "learning_rate": {1e-2, 1e-3, 1e-4},
    }
    base = replace(BASE, network="tuned-cnn")
    films = LabelledImages(TRAIN.images[:8], TRAIN.labels[:8])
    trials = search(space, base, films, films, tmp_path, trials=2, seed=SEED)
    assert len(trials) == 2
    for trial in trials:
        assert set(trial.params) == set(allowed)
        assert all(trial.params[name] in values for name, values in allowed.items())
        assert 0 <= trial.value <= 1
        assert trial.seconds > 0
        recipe = with_params(base, trial.params)
        assert recipe.options == {name: trial.params[name] for name in ("first", "second", "dense")}
        assert (tmp_path / f"trial-{trial.number}" / "small.curves.csv").exists()


def test_every_width_is_visited_in_a_longer_search(unskilled: list[Recipe], tmp_path: Path) -> None:
    search(widths(), BASE, TRAIN, TUNE, tmp_path, trials=40, seed=SEED)
    assert {recipe.options["first"] for recipe in unskilled} == {32, 64, 96, 128}
    assert {recipe.options["dense"] for recipe in unskilled} == {64, 128, 192, 256}
    assert {recipe.learning_rate for recipe in unskilled} == {1e-2, 1e-3, 1e-4}
    # What came up again was not trained again.
    assert len({(*r.options.values(), r.learning_rate) for r in unskilled}) == len(unskilled) < 40


def test_the_better_of_two_choices_is_found(tmp_path: Path) -> None:
    space = Space({"learning_rate": CategoricalDistribution((1e-7, 3e-2))})
    base = replace(BASE, epochs=4)
    steps: list[tuple[int, int]] = []
    trials = search(
        space,
        base,
        TRAIN,
        TUNE,
        tmp_path,
        trials=3,
        seed=SEED,
        report=lambda done, total, _: steps.append((done, total)),
    )
    assert {trial.params["learning_rate"] for trial in trials} == {1e-7, 3e-2}
    assert trials[0].params == {"learning_rate": 3e-2}
    assert trials[0].value > 0.9
    assert trials[-1].value < 0.8
    assert [trial.value for trial in trials] == sorted(
        (trial.value for trial in trials), reverse=True
    )
    assert steps[0] == (1, 3 * 4 * 3)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    kept = json.loads((tmp_path / "trials.json").read_text())
    assert [entry["value"] for entry in kept] == [trial.value for trial in trials]
    assert set(kept[0]) == {"number", "params", "value", "seconds"}


# Keras leaves the file of the curves open where a training is interrupted.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    space = neighbourhood(BASE)
    base = replace(BASE, epochs=2)

    def run(name: str, trials: int, stop_at: int | None = None) -> list[Trial]:
        def report(done: int, _total: int, _figures: dict[str, float]) -> None:
            if done == stop_at:
                raise Interruption

        return search(
            space,
            base,
            TRAIN,
            TUNE,
            tmp_path / name,
            trials=trials,
            seed=SEED,
            storage=tmp_path / f"{name}.db",
            report=report,
        )

    whole = run("whole", 2)
    # Three batches an epoch: in the second epoch of the second trial.
    with pytest.raises(Interruption):
        run("parts", 2, stop_at=6 + 5)
    gc.collect()
    assert len(json.loads((tmp_path / "parts" / "trials.json").read_text())) == 1
    resumed = run("parts", 2)
    assert outcome(resumed) == outcome(whole)
    assert sorted(trial.number for trial in resumed) == [0, 1]


def test_a_kept_search_is_added_to(unskilled: list[Recipe], tmp_path: Path) -> None:
    def run(trials: int, name: str, base: Recipe = BASE) -> list[Trial]:
        return search(
            neighbourhood(BASE),
            base,
            TRAIN,
            TUNE,
            tmp_path,
            trials=trials,
            seed=SEED,
            storage=tmp_path / name,
        )

    three = run(3, "kept.db")
    assert run(3, "kept.db") == three
    assert len(unskilled) == 3
    six = run(6, "kept.db")
    assert len(unskilled) == 6
    assert all(trial in six for trial in three)
    assert outcome(run(6, "at-once.db")) == outcome(six)
    with pytest.raises(Misconfigured, match="another search"):
        run(7, "kept.db", replace(BASE, batch_size=8))


def test_a_search_is_repeated_by_its_seed(unskilled: list[Recipe], tmp_path: Path) -> None:
    space = neighbourhood(BASE)

    def run(seed: int) -> list[Trial]:
        return search(space, BASE, TRAIN, TUNE, tmp_path, trials=6, seed=seed)

    first = run(1)
    assert outcome(run(1)) == outcome(first)
    assert outcome(run(2)) != outcome(first)


def test_the_neighbourhood_begins_at_the_recipe_and_stays_about_it(
    unskilled: list[Recipe], tmp_path: Path
) -> None:
    base = RECIPES["cnn"]
    trials = search(neighbourhood(base), base, TRAIN, TUNE, tmp_path, trials=25, seed=SEED)
    assert unskilled[0] == base
    for recipe in unskilled:
        assert 1.5e-3 / 3.17 < recipe.learning_rate < 1.5e-3 * 3.17
        assert 0 <= recipe.label_smoothing <= 0.1
        assert 0 <= recipe.mixup <= 0.4
        assert 1e-6 <= recipe.weight_decay <= 1e-2
        assert 0 <= recipe.augmentation.rotation <= 1.5 * STRONG.rotation
    # Better rates than the recipe's are to be had, and are tried more often later on.
    assert trials[0].value > next(trial.value for trial in trials if trial.number == 0)
    distances = [abs(np.log10(recipe.learning_rate / 4e-3)) for recipe in unskilled]
    assert np.mean(distances[-10:]) < np.mean(distances[:5])


def test_a_recipe_without_augmentation_has_none_to_strengthen() -> None:
    assert "augmentation" not in neighbourhood(BASE).parameters
    assert neighbourhood(BASE).first["weight_decay"] == 1e-6
    assert "augmentation" in neighbourhood(RECIPES["vgg16"]).parameters


def test_the_value_is_that_of_the_weights_which_are_kept(
    unskilled: list[Recipe], tmp_path: Path
) -> None:
    space = Space({"mixup": FloatDistribution(0.0, 0.0)}, objective="val_recall")

    def value(base: Recipe) -> float:
        return search(space, base, TRAIN, TUNE, tmp_path, trials=1, seed=SEED)[0].value

    assert value(replace(BASE, keep_best=True, monitor="val_auc")) == 0.6
    assert value(replace(BASE, keep_best=True, monitor="val_recall")) == 0.9
    assert value(replace(BASE, keep_best=True, monitor="val_loss")) == 0.9
    assert value(replace(BASE, keep_best=False, monitor="val_recall")) == 0.6


def test_a_diverged_training_is_the_worst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(recipe: Recipe, _train: object, _tune: object, folder: Path, **_: object) -> None:
        (folder / f"{recipe.name}.curves.csv").write_text("epoch,val_auc\n0,nan\n1,nan\n")

    monkeypatch.setattr(bayesian_search, "train_member", diverged)
    trials = search(neighbourhood(BASE), BASE, TRAIN, TUNE, tmp_path, trials=2, seed=SEED)
    assert [trial.value for trial in trials] == [0.0, 0.0]


def test_augmentation_is_strengthened_and_weakened() -> None:
    assert strengthened(STRONG, 1.0) == STRONG
    assert strengthened(STRONG, 0.0) == Augmentation(flip=True)
    more = strengthened(STRONG, 1.5)
    assert more.rotation == 18
    assert more.zoom == pytest.approx(1.35**1.5)
    assert more.blur == pytest.approx(0.6)
    assert strengthened(Augmentation(blur=0.8, noise=8), 2.0) == Augmentation(blur=1.0, noise=16)
