"""Films that a network invents: a DCGAN trained on the films of one class."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from laboratory.gan.networks import LATENT, SIZE, WIDTH, Array, adversaries
from laboratory.training.progress import ReportProgress, silent
from models.preprocessing import Array8, standardise

if TYPE_CHECKING:
    import keras

#: Its name in `models show`.
NAME = "capstone-dcgan"
#: Films invented at a time.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean cross-entropies of one epoch, in nats.

    discriminator: over real and invented films; 0.69 if it cannot tell them apart. generator:
    of its films being taken for real ones.
    """

    discriminator: float
    generator: float


@dataclass(frozen=True, slots=True)
class TrainedGan:
    """A generator and what it was trained against. losses: of each epoch, in order."""

    generator: "keras.Model"
    discriminator: "keras.Model"
    losses: tuple[Losses, ...]


def train_gan(
    images: Array8,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    report: ReportProgress = silent,
    width: int = WIDTH,
) -> TrainedGan:
    """Train a generator on films of one class.

    images: (n, rows, columns) uint8. Each epoch shows every film once, save those that do not
    fill a batch. The same films and seed give the same generator on the same machine. Raises
    ValueError if there are no films.
    """
    import keras

    if not len(images):
        raise ValueError("a generator needs films to learn from")
    keras.utils.set_random_seed(seed)
    chance = np.random.default_rng(seed)
    films = _films(images)
    pair = adversaries(width)
    batch_size = min(batch_size, len(films))
    steps = len(films) // batch_size
    losses: list[Losses] = []
    for epoch in range(epochs):
        pair.begin_epoch()
        for step, batch in enumerate(_batches(films, batch_size, chance), 1):
            so_far = Losses(
                pair.train_discriminator(batch, _latent(batch_size, chance)),
                pair.train_generator(_latent(batch_size, chance)),
            )
            report(
                epoch * steps + step,
                epochs * steps,
                {"discriminator_loss": so_far.discriminator, "generator_loss": so_far.generator},
            )
        losses.append(so_far)
    pair.discriminator.trainable = True
    return TrainedGan(pair.generator, pair.discriminator, tuple(losses))


def generate(generator: "keras.Model", count: int, seed: int) -> Array8:
    """Invent films. Returns (count, 64, 64) uint8, 0 is black; the first ones of a larger count
    with the same seed are the same films.
    """
    latent = _latent(count, np.random.default_rng(seed))
    invented = np.asarray(generator.predict(latent, batch_size=AT_ONCE, verbose=0))[..., 0]
    grey: Array8 = np.clip(np.rint((invented + 1) * 127.5), 0, 255).astype(np.uint8)
    return grey


def sheet(images: Array8, columns: int) -> Array8:
    """Lay out a contact sheet, row by row, black where there are no more films.

    images: (n, high, wide) uint8. Returns (ceil(n / columns) high, columns wide) uint8.
    """
    count, high, wide = images.shape
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, high, wide), dtype=np.uint8)
    cells[:count] = images
    return cells.reshape(rows, columns, high, wide).swapaxes(1, 2).reshape(rows * high, -1)


def _films(images: Array8) -> Array:
    """Scale films for the networks: (n, 64, 64, 1) float32, -1 to 1."""
    small = np.stack([standardise(image, SIZE) for image in images]).astype(np.float32)
    return (small / np.float32(127.5) - np.float32(1))[..., np.newaxis]


def _batches(films: Array, size: int, chance: np.random.Generator) -> Iterator[Array]:
    """Yield whole batches of the films in a new order."""
    order = chance.permutation(len(films))
    for at in range(0, len(films) - size + 1, size):
        yield films[order[at : at + size]]


def _latent(count: int, chance: np.random.Generator) -> Array:
    return chance.standard_normal((count, LATENT), dtype=np.float32)
