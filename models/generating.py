"""Films that a network invents, and whether training on them helps.

The network is the DCGAN of Radford, Metz and Chintala (2016), "Unsupervised representation
learning with deep convolutional generative adversarial networks", on grey films of 64 x 64. Its
discriminator normalises over groups of channels (Wu and He 2018) where theirs normalises over
the batch: that would make it another function while it is frozen, in the generator's steps,
than while it is trained.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.evaluation import PREVALENCE, figures
from models.members import weights_path
from models.preprocessing import Array8, network_input, standardise
from models.recipes import Recipe
from models.training import LabelledImages, Report, Start, silent, train_member
from models.weights import save_weights

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]

#: Side of the invented films.
SIZE = 64
#: Its name in the laboratory.
NAME = "capstone-dcgan"
#: Numbers that a film is invented from, each normally distributed.
LATENT = 100
#: Filters of the layer next to the film; each layer inwards has twice those of the one before.
WIDTH = 64
#: Target of the discriminator for real films: one-sided label smoothing (Salimans et al. 2016).
REAL = 0.9
LEARNING_RATE = 2e-4
BETA_1 = 0.5
#: Films invented, or scored, at a time.
AT_ONCE = 64
#: Probability at which the arms of `retraining` are compared, and the figures compared.
THRESHOLD = 0.5
COMPARED = ("auc", "sensitivity", "specificity", "accuracy")


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


@dataclass(frozen=True, slots=True)
class Adversaries:
    """Two networks that are trained against each other. deception: the one before the other."""

    generator: "keras.Model"
    discriminator: "keras.Model"
    deception: "keras.Model"

    def train_discriminator(self, films: Array, latent: Array) -> float:
        """One step on as many real as invented films. Returns the mean loss of the epoch so far.

        films: (n, 64, 64, 1), -1 to 1. latent: (n, 100).
        """
        self.discriminator.trainable = True
        invented = np.asarray(self.generator.predict_on_batch(latent))
        targets = np.repeat(np.array([REAL, 0.0], dtype=np.float32), [len(films), len(invented)])
        return _step(self.discriminator, np.concatenate([films, invented]), targets)

    def train_generator(self, latent: Array) -> float:
        """One step that leaves the discriminator alone. Returns the epoch's mean loss so far.

        latent: (n, 100).
        """
        # Which weights a step moves is asked when a network is compiled (TensorFlow) or at every
        # step (JAX, PyTorch), so that the flag stands right at both times.
        self.discriminator.trainable = False
        return _step(self.deception, latent, np.ones(len(latent), dtype=np.float32))

    def begin_epoch(self) -> None:
        """Forget the losses so far."""
        self.discriminator.reset_metrics()
        self.deception.reset_metrics()


def generator(width: int = WIDTH) -> "keras.Model":
    """100 numbers to a film of (64, 64, 1), -1 to 1: 3.6 M parameters at the usual width."""
    from keras import Input, Model, layers

    latent = Input((LATENT,), name="latent")
    x = layers.Dense(4 * 4 * 8 * width, use_bias=False, **_normal("dense"))(latent)
    x = layers.Reshape((4, 4, 8 * width), name="reshape")(x)
    for step, filters in enumerate((4 * width, 2 * width, width), 1):
        x = _batch_normal(x, f"norm{step}")
        x = _up(filters, f"up{step}", use_bias=False)(x)
    x = _up(1, "up4", activation="tanh")(_batch_normal(x, "norm4"))
    return Model(latent, x, name="generator")


def discriminator(width: int = WIDTH) -> "keras.Model":
    """A film of (64, 64, 1), -1 to 1, to the logit of its being real: 2.8 M parameters.

    width: a multiple of 4.
    """
    from keras import Input, Model, layers

    film = x = Input((SIZE, SIZE, 1), name="film")
    for step, filters in enumerate((width, 2 * width, 4 * width, 8 * width), 1):
        x = layers.Conv2D(filters, 4, strides=2, padding="same", **_normal(f"down{step}"))(x)
        if step > 1:
            x = layers.GroupNormalization(groups=8, name=f"norm{step}")(x)
        x = layers.LeakyReLU(0.2, name=f"leak{step}")(x)
    x = layers.Flatten(name="flatten")(x)
    return Model(film, layers.Dense(1, **_normal("logit"))(x), name="discriminator")


def adversaries(width: int = WIDTH) -> Adversaries:
    """A new generator and a new discriminator, ready to be trained against each other."""
    from keras import Input, Model

    invents, judges = generator(width), discriminator(width)
    _compile(judges)
    judges.trainable = False
    latent = Input((LATENT,), name="latent")
    deception = Model(latent, judges(invents(latent)), name="deception")
    _compile(deception)
    return Adversaries(invents, judges, deception)


def train_gan(
    images: Array8,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    report: Report = silent,
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
            told = Losses(
                pair.train_discriminator(batch, _latent(batch_size, chance)),
                pair.train_generator(_latent(batch_size, chance)),
            )
            report(
                epoch * steps + step,
                epochs * steps,
                {"discriminator_loss": told.discriminator, "generator_loss": told.generator},
            )
        losses.append(told)
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
    """A contact sheet, row by row, black where there are no more films.

    images: (n, high, wide) uint8. Returns (ceil(n / columns) high, columns wide) uint8.
    """
    count, high, wide = images.shape
    rows = math.ceil(count / columns)
    places = np.zeros((rows * columns, high, wide), dtype=np.uint8)
    places[:count] = images
    return places.reshape(rows, columns, high, wide).swapaxes(1, 2).reshape(rows * high, -1)


def retraining(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    test: LabelledImages,
    generated: Array8,
    folder: Path,
    *,
    seed: int,
    start: Start = Start(),  # noqa: B008
    report: Report = silent,
) -> dict[str, dict[str, float]]:
    """Whether a recipe does better with invented normal films, and better than with repeated ones.

    generated: (m, 64, 64) uint8, of class 0; brought to the size of the other films. folder:
    where each arm's weights, curves and figures (`NAME-ARM.json`) are written; an arm whose
    figures lie there already is not trained again. Returns, by arm, how many films of each class
    it was trained on, and its figures on the test films, flagged at 0.5:

    - `films`: the recipe as it is;
    - `generated`: the recipe as it is, on the films and the invented ones;
    - `repeated`: the films alone, those of the smaller class repeated until both are equal, and
      no class weights.
    """
    more = with_generated(train, generated)
    arms = {
        "films": (recipe, train),
        "generated": (recipe, more),
        "repeated": (replace(recipe, balance="oversampling"), train),
    }
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for n, (arm, (how, data)) in enumerate(arms.items()):
        named = replace(how, name=f"{recipe.name}-{arm}")
        result = folder / f"{named.name}.json"
        if not result.exists():
            told = _share(report, n, len(arms))
            network = train_member(named, data, tune, folder, seed=seed, start=start, report=told)
            save_weights(network, weights_path(folder, named))
            found = {**_counts(data), **_compare(network, named, test)}
            result.write_text(json.dumps(found, indent=2) + "\n")
        results[arm] = json.loads(result.read_text())
    return results


def with_generated(train: LabelledImages, generated: Array8) -> LabelledImages:
    """The films and invented normal ones, (m, any, any) uint8, brought to the films' size."""
    size = train.images.shape[1]
    invented = [standardise(image, size) for image in generated]
    return LabelledImages(
        np.concatenate([train.images, np.stack(invented)]) if invented else train.images,
        np.concatenate([train.labels, np.zeros(len(invented), dtype=train.labels.dtype)]),
    )


def _counts(data: LabelledImages) -> dict[str, float]:
    """How many films there are of each class."""
    return {
        name: float(np.sum(data.labels == label))
        for label, name in enumerate(("normal", "pneumonia"))
    }


def _compare(network: "keras.Model", recipe: Recipe, test: LabelledImages) -> dict[str, float]:
    """What is compared, of the test films."""
    inputs = network_input(test.images, recipe.input_size)
    said = np.asarray(network.predict(inputs, batch_size=AT_ONCE, verbose=0))[:, 0]
    found = figures(test.labels, said.astype(np.float64), THRESHOLD, PREVALENCE)
    return {name: found[name] for name in COMPARED}


def _share(report: Report, n: int, trainings: int) -> Report:
    """A report of the n-th of several trainings as a share of them all."""

    def told(done: int, total: int, so_far: dict[str, float]) -> None:
        report(n * total + done, trainings * total, so_far)

    return told


def _step(network: "keras.Model", inputs: Array, targets: Array) -> float:
    """Train on one batch. Returns the mean loss since the metrics were reset."""
    told = network.train_on_batch(inputs, targets[:, np.newaxis], return_dict=True)
    return float(told["loss"])


def _compile(network: "keras.Model") -> None:
    from keras import losses, optimizers

    network.compile(
        optimizer=optimizers.Adam(LEARNING_RATE, beta_1=BETA_1),
        loss=losses.BinaryCrossentropy(from_logits=True),
    )


def _films(images: Array8) -> Array:
    """Films as the networks know them: (n, 64, 64, 1) float32, -1 to 1."""
    small = np.stack([standardise(image, SIZE) for image in images]).astype(np.float32)
    return (small / np.float32(127.5) - np.float32(1))[..., np.newaxis]


def _batches(films: Array, size: int, chance: np.random.Generator) -> Iterator[Array]:
    """Whole batches of the films in a new order."""
    order = chance.permutation(len(films))
    for at in range(0, len(films) - size + 1, size):
        yield films[order[at : at + size]]


def _latent(count: int, chance: np.random.Generator) -> Array:
    return chance.standard_normal((count, LATENT), dtype=np.float32)


def _up(filters: int, name: str, **options: Any) -> "keras.Layer":
    """A convolution that doubles the side."""
    from keras import layers

    return layers.Conv2DTranspose(filters, 4, strides=2, padding="same", **_normal(name), **options)


def _batch_normal(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
    """Batch normalisation and ReLU. Its averages are quick, for the generator is used, in the
    discriminator's steps too, as it will be after the training.
    """
    from keras import initializers, layers

    x = layers.BatchNormalization(
        momentum=0.8, gamma_initializer=initializers.RandomNormal(1.0, 0.02), name=name
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _normal(name: str) -> dict[str, Any]:
    """A layer's name, and the weights it starts with: Radford et al. 2016."""
    from keras import initializers

    return {"kernel_initializer": initializers.RandomNormal(0.0, 0.02), "name": name}
