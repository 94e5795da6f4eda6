"""The generator, trained for real on films that are easy to invent."""

from pathlib import Path

import numpy as np
import pytest

from laboratory.gan import networks
from laboratory.gan.networks import adversaries, discriminator, generator
from laboratory.gan.retraining import COMPARED, retraining, with_generated
from laboratory.gan.train_gan import generate, sheet, train_gan
from laboratory.training.batches import LabelledImages
from laboratory.training.recipes import Recipe
from laboratory.training.train_member import train_member
from models.preprocessing import Array8
from models.weights import load_weights, save_weights

WIDTH = 8
RECIPE = Recipe(
    name="tiny",
    network="plain-cnn",
    input_size=16,
    epochs=2,
    batch_size=12,
    learning_rate=3e-3,
    balance="class-weights",
)


def flat_films(count: int, grey: int) -> Array8:
    """Films of one grey each, about this one: (count, 16, 20)."""
    levels = np.random.default_rng(0).integers(grey - 10, grey + 11, (count, 1, 1))
    return np.broadcast_to(levels, (count, 16, 20)).astype(np.uint8)


def spotted_films(count: int, seed: int, size: int = 24) -> LabelledImages:
    """Noise; every third film has no bright spot, and is normal."""
    chance = np.random.default_rng(seed)
    images = chance.integers(0, 120, (count, size, size))
    labels = (np.arange(count) % 3 > 0).astype(np.int64)
    for image in images[labels == 1]:
        top, left = chance.integers(4, size - 12, 2)
        image[top : top + 8, left : left + 8] += 120
    return LabelledImages(images.astype(np.uint8), labels)


def values(network: object) -> list[np.ndarray]:
    return [np.array(value) for value in network.get_weights()]  # type: ignore[attr-defined]


def test_the_networks_fit_each_other() -> None:
    invents, judges = generator(), discriminator()
    assert invents.input_shape == (None, 100)
    assert invents.output_shape == judges.input_shape == (None, 64, 64, 1)
    assert judges.output_shape == (None, 1)
    assert (invents.count_params(), judges.count_params()) == (3_576_577, 2_764_481)


def test_each_step_moves_its_own_network_only() -> None:
    pair = adversaries(WIDTH)
    chance = np.random.default_rng(0)
    films = chance.uniform(-1, 1, (4, 64, 64, 1)).astype(np.float32)
    latent = chance.standard_normal((4, 100), dtype=np.float32)
    # The generator's step comes first once, and later once again between the other's steps.
    for mover in ("generator", "discriminator", "generator", "discriminator"):
        before = {name: values(getattr(pair, name)) for name in ("generator", "discriminator")}
        if mover == "generator":
            pair.train_generator(latent)
        else:
            pair.train_discriminator(films, latent)
        for name, old in before.items():
            moved = [
                not np.array_equal(a, b)
                for a, b in zip(old, values(getattr(pair, name)), strict=True)
            ]
            assert all(moved) if name == mover else not any(moved), (mover, name)


@pytest.mark.usefixtures("untraced_steps")
def test_films_are_invented_by_seed_and_training_likewise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "LEARNING_RATE", 1e-2)
    steps = []
    films = np.random.default_rng(1).integers(0, 256, (10, 64, 64)).astype(np.uint8)
    first, again = (
        train_gan(
            films,
            epochs=2,
            batch_size=4,
            seed=3,
            width=WIDTH,
            report=lambda done, total, so_far: steps.append((done, total, sorted(so_far))),
        )
        for _ in range(2)
    )
    invented = generate(first.generator, 70, seed=5)
    assert invented.shape == (70, 64, 64)
    assert invented.dtype == np.uint8
    assert len(first.losses) == 2
    assert all(0 < loss.discriminator < 5 and 0 < loss.generator < 20 for loss in first.losses)
    # Two of the ten films do not fill a batch.
    assert steps[:4] == [(n, 4, ["discriminator_loss", "generator_loss"]) for n in (1, 2, 3, 4)]

    assert alike(generate(again.generator, 70, seed=5), invented)
    assert alike(generate(first.generator, 6, seed=5), invented[:6])
    assert not alike(generate(first.generator, 70, seed=6), invented)
    other = train_gan(films, epochs=2, batch_size=4, seed=4, width=WIDTH)
    assert not alike(generate(other.generator, 70, seed=5), invented)

    save_weights(first.generator, tmp_path / "generator.safetensors")
    loaded = generator(WIDTH)
    load_weights(loaded, tmp_path / "generator.safetensors")
    assert alike(generate(loaded, 6, seed=5), invented[:6])


def alike(a: Array8, b: Array8) -> bool:
    """To a grey value or two, for sums are made in any order, and weights kept in 16 bits."""
    return bool(np.abs(a.astype(int) - b.astype(int)).max() <= 2)


def test_the_losses_of_an_epoch_are_its_own() -> None:
    pair = adversaries(WIDTH)
    chance = np.random.default_rng(0)
    latent = chance.standard_normal((4, 100), dtype=np.float32)
    before = values(pair.deception)
    first = pair.train_generator(latent)
    both = pair.train_generator(latent)
    pair.begin_epoch()
    pair.deception.set_weights(before)
    assert pair.train_generator(latent) == pytest.approx(first, abs=1e-4)
    assert both != pytest.approx(first, abs=1e-4)


def test_generators_come_nearer_to_the_films_that_they_were_trained_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(networks, "LEARNING_RATE", 1e-3)

    def mean_grey(films: Array8, epochs: int) -> float:
        gan = train_gan(films, epochs=epochs, batch_size=8, seed=1, width=WIDTH)
        assert len(gan.losses) == epochs
        return float(generate(gan.generator, 16, seed=2).mean())

    untrained = mean_grey(flat_films(8, 215), 0)
    assert mean_grey(flat_films(8, 215), 25) > untrained + 12
    assert mean_grey(flat_films(8, 40), 25) < untrained - 8


def test_no_films_no_generator() -> None:
    with pytest.raises(ValueError, match="needs films"):
        train_gan(np.zeros((0, 8, 8), dtype=np.uint8), epochs=1, batch_size=4, seed=0)


def test_a_sheet_is_filled_row_by_row() -> None:
    images = np.stack([np.full((2, 3), n, dtype=np.uint8) for n in (1, 2, 3, 4, 5)])
    images[0, 0, 2] = 9
    made = sheet(images, columns=3)
    assert made.dtype == np.uint8
    assert made.tolist() == [
        [1, 1, 9, 2, 2, 2, 3, 3, 3],
        [1, 1, 1, 2, 2, 2, 3, 3, 3],
        [4, 4, 4, 5, 5, 5, 0, 0, 0],
        [4, 4, 4, 5, 5, 5, 0, 0, 0],
    ]


def test_invented_films_are_normal_and_as_large_as_the_others() -> None:
    train = spotted_films(6, seed=0)
    invented = np.full((4, 64, 64), 77, dtype=np.uint8)
    more = with_generated(train, invented)
    assert more.images.shape == (10, 24, 24)
    assert more.labels.tolist() == [*train.labels, 0, 0, 0, 0]
    assert (more.images[:6] == train.images).all()
    assert (more.images[6:] == 77).all()
    assert with_generated(train, invented[:0]).images.shape == (6, 24, 24)


@pytest.mark.usefixtures("small_networks")
def test_the_same_recipe_is_trained_in_three_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, tune, test = (spotted_films(n, seed) for seed, n in enumerate((36, 12, 30)))
    invented = np.random.default_rng(0).integers(0, 120, (8, 64, 64)).astype(np.uint8)
    steps: list[tuple[int, int]] = []
    used = []

    def spied(how: Recipe, data: LabelledImages, *args: object, **options: object) -> object:
        used.append((how.name, how.balance, len(data.labels)))
        return train_member(how, data, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("laboratory.gan.retraining.train_member", spied)

    def experiment() -> dict[str, dict[str, float]]:
        return retraining(
            RECIPE,
            train,
            tune,
            test,
            invented,
            tmp_path / "arms",
            seed=1,
            report=lambda done, total, _: steps.append((done, total)),
        )

    arms = experiment()
    assert list(arms) == ["films", "generated", "repeated"]
    assert used == [
        ("tiny-films", "class-weights", 36),
        ("tiny-generated", "class-weights", 44),
        ("tiny-repeated", "oversampling", 36),
    ]
    for arm, figures in arms.items():
        assert set(figures) == {
            *("normal", "pneumonia", "auc", "sensitivity", "specificity", "accuracy")
        }
        assert (figures["normal"], figures["pneumonia"]) == (20 if arm == "generated" else 12, 24)
        assert all(0 <= figures[name] <= 1 for name in COMPARED)
        assert figures["accuracy"] == pytest.approx(
            (20 * figures["sensitivity"] + 10 * figures["specificity"]) / 30
        )
    assert len({tuple(figures.values()) for figures in arms.values()}) > 1
    assert steps[0][0] == 1
    assert steps[-1][0] == steps[-1][1]

    assert experiment() == arms
    assert len(used) == 3
