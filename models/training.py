"""One training loop for every recipe."""

import csv
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.augmentation import augment
from models.imagenet import load_imagenet
from models.memory import keep_freed_memory
from models.networks import build
from models.preprocessing import Array8, framed, network_input
from models.recipes import Recipe, view_of
from models.weights import load_weights

if TYPE_CHECKING:
    import keras

#: Told after each step: steps done and in all, and the figures so far by name.
Report = Callable[[int, int, dict[str, float]], None]
#: How far focal loss leaves easy films aside (Lin et al. 2017).
FOCAL_GAMMA = 2.0


def silent(_done: int, _total: int, _figures: dict[str, float]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Films for training. images: (n, 224, 224) uint8. labels: (n,), 1 is pneumonia."""

    images: Array8
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class Start:
    """What a network begins with where its recipe wants ImageNet, or whatever it says.

    imagenet: a file of VGG16's weights; None lets Keras download it. weights: those of a trained
    member of the same network, from which training goes on.
    """

    imagenet: Path | None = None
    weights: Path | None = None


def train_member(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    folder: Path,
    *,
    seed: int,
    start: Start = Start(),
    report: Report = silent,
) -> "keras.Model":
    """Train one network by its recipe. Returns it with the weights that the recipe keeps.

    folder: where the curves are written, `NAME.curves.csv`, and the state of a training that
    is under way; one that was interrupted goes on after its last whole epoch.
    """
    import keras

    keras.utils.set_random_seed(seed)
    network = build(recipe.network, recipe.input_size, **recipe.options)
    if start.weights:
        load_weights(network, start.weights)
    elif recipe.imagenet:
        load_imagenet(network, start.imagenet)
    curves, state = folder / f"{recipe.name}.curves.csv", folder / f"{recipe.name}.training"
    if not state.exists():
        curves.unlink(missing_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    done = read_curves(curves)
    batches = _augmented_batches(recipe, train, seed, done=len(done.get("epoch", ())))
    network.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss=_loss(recipe),
        metrics=[
            keras.metrics.AUC(name="auc", num_thresholds=1000),
            keras.metrics.Recall(name="recall"),
        ],
    )
    best = state / "best.weights.h5"
    network.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=(
            network_input(tune.images, recipe.input_size, view_of(recipe)),
            tune.labels.astype(np.float32),
        ),
        class_weight=class_weights(train.labels) if recipe.balance == "class-weights" else None,
        callbacks=[
            keras.callbacks.BackupAndRestore(str(state / "latest"), delete_checkpoint=False),
            *_callbacks(recipe, best, done),
            _reporting(report, recipe.epochs, len(batches), curves),
        ],
        verbose=0,
    )
    if recipe.keep_best and best.exists():
        network.load_weights(best)
    shutil.rmtree(state)
    return network


def read_curves(path: Path) -> dict[str, list[float]]:
    """The figures of each epoch by name; none if there is no such file."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Weights under which both classes count alike: n / (2 n_class)."""
    counts = np.bincount(labels, minlength=2)
    return {label: len(labels) / (2 * int(count)) for label, count in enumerate(counts) if count}


def epoch_order(labels: np.ndarray, balance: str, generator: np.random.Generator) -> np.ndarray:
    """The films of one epoch in a new order; with oversampling the smaller class is repeated
    until both are equal. labels: (n,). Returns indices.
    """
    chosen = np.arange(len(labels))
    counts = np.bincount(labels, minlength=2)
    if balance == "oversampling" and counts.min():
        rare = np.flatnonzero(labels == counts.argmin())
        more = generator.choice(rare, size=counts.max() - counts.min())
        chosen = np.concatenate([chosen, more])
    return generator.permutation(chosen)


def _callbacks(
    recipe: Recipe, best: Path, done: dict[str, list[float]]
) -> "list[keras.callbacks.Callback]":
    from keras import callbacks

    mode = "min" if recipe.monitor == "val_loss" else "max"
    better = min if mode == "min" else max
    chosen: list[callbacks.Callback] = []
    if recipe.averaging:
        chosen.append(callbacks.SwapEMAWeights(swap_on_epoch=True))
    if recipe.keep_best:
        chosen.append(
            callbacks.ModelCheckpoint(
                str(best),
                recipe.monitor,
                mode=mode,
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=better(done[recipe.monitor]) if done else None,
            )
        )
    if recipe.patience is not None:
        chosen.append(callbacks.EarlyStopping(recipe.monitor, mode=mode, patience=recipe.patience))
    if recipe.plateau is not None:
        chosen.append(
            callbacks.ReduceLROnPlateau(
                recipe.monitor, mode=mode, factor=0.5, patience=recipe.plateau
            )
        )
    return chosen


def _optimizer(recipe: Recipe, steps: int) -> "keras.Optimizer":
    from keras import optimizers

    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = optimizers.schedules.CosineDecay(
            0.1 * recipe.learning_rate,
            decay_steps=max(1, recipe.epochs * steps - steps // 2),
            alpha=0.02,
            warmup_target=recipe.learning_rate,
            warmup_steps=steps // 2,
        )
    kinds = {
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW,
        "rmsprop": optimizers.RMSprop,
        "sgd": optimizers.SGD,
    }
    options: dict[str, Any] = {"weight_decay": recipe.weight_decay or None}
    if recipe.averaging:
        options |= {"use_ema": True, "ema_momentum": recipe.averaging}
    return kinds[recipe.optimizer](rate, **options)


def _loss(recipe: Recipe) -> "keras.Loss":
    from keras import losses

    smoothing = recipe.label_smoothing
    if recipe.loss == "focal":
        return losses.BinaryFocalCrossentropy(gamma=FOCAL_GAMMA, label_smoothing=smoothing)
    return losses.BinaryCrossentropy(label_smoothing=smoothing)


def _add_to_curves(path: Path, epoch: int, figures: dict[str, float]) -> None:
    row = {"epoch": float(epoch), **{name: float(figures[name]) for name in sorted(figures)}}
    begins = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if begins:
            writer.writeheader()
        writer.writerow(row)


def _reporting(report: Report, epochs: int, steps: int, curves: Path) -> "keras.callbacks.Callback":
    import keras

    class Reporting(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, _logs: dict[str, float] | None = None) -> None:
            self.before = epoch * steps

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            # Each time that TensorFlow's data sets begin, they have memory handed back.
            keep_freed_memory()
            report(self.before + batch + 1, epochs * steps, logs or {})

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            report(self.before + steps, epochs * steps, logs or {})
            _add_to_curves(curves, epoch, logs or {})

    return Reporting()


def _augmented_batches(recipe: Recipe, data: LabelledImages, seed: int, done: int) -> Any:
    """A Keras data set: each epoch every film, changed anew, in a new order. done: epochs."""
    import keras

    view = view_of(recipe)
    images = np.stack([framed(image, recipe.input_size, view) for image in data.images])

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
            self.epoch = done
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(self.order) / recipe.batch_size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            chosen = self.order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            generator = np.random.default_rng((seed, self.epoch, index))
            changed = [augment(images[i], recipe.augmentation, generator) for i in chosen]
            return _mixed(
                np.stack(changed)[..., np.newaxis],
                data.labels[chosen].astype(np.float32),
                recipe.mixup,
                generator,
            )

        def on_epoch_end(self) -> None:
            self.epoch += 1
            generator = np.random.default_rng((seed, self.epoch))
            self.order = epoch_order(data.labels, recipe.balance, generator)

    return Batches()


def _mixed(
    images: np.ndarray, labels: np.ndarray, mixup: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each film of a batch under a share of another, and its label likewise."""
    if not mixup:
        return images, labels
    share = np.float32(generator.beta(mixup, mixup))
    other = generator.permutation(len(images))
    return (
        share * images + (1 - share) * images[other],
        share * labels + (1 - share) * labels[other],
    )
