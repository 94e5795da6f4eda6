"""One training loop for every recipe."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.augmentation import augment
from models.networks import build
from models.preprocessing import Array8, network_input, standardise
from models.recipes import Recipe
from models.weights import load_imagenet

if TYPE_CHECKING:
    import keras


#: Told after each step: steps done and in all, and the figures so far by name.
Report = Callable[[int, int, dict[str, float]], None]


def silent(_done: int, _total: int, _figures: dict[str, float]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Films for training. images: (n, 224, 224) uint8. labels: (n,), 1 is pneumonia."""

    images: Array8
    labels: np.ndarray


@dataclass(frozen=True, slots=True)
class TrainedMember:
    """A trained network, and the figures of each epoch by name."""

    recipe: Recipe
    network: "keras.Model"
    curves: dict[str, list[float]]


def train_member(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    *,
    seed: int,
    imagenet: Path | None = None,
    report: Report = silent,
) -> TrainedMember:
    """Train one network by its recipe, and give it the weights of its best epoch.

    The best epoch is the one with the highest AUC on the tuning patients. imagenet: a file of
    VGG16's ImageNet weights; None lets Keras download it where the recipe wants it.
    """
    import keras

    keras.utils.set_random_seed(seed)
    network = build(recipe.network, recipe.input_size)
    if recipe.imagenet:
        load_imagenet(network, imagenet)
    batches = _augmented_batches(recipe, train, seed)
    network.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.AUC(name="auc", num_thresholds=1000)],
    )
    tuning = (network_input(tune.images, recipe.input_size), tune.labels.astype(np.float32))
    with tempfile.TemporaryDirectory() as folder:
        best = str(Path(folder) / "best.weights.h5")
        history = network.fit(
            batches,
            epochs=recipe.epochs,
            validation_data=tuning,
            class_weight=class_weights(train.labels) if recipe.class_weights else None,
            callbacks=[
                keras.callbacks.ModelCheckpoint(
                    best, "val_auc", mode="max", save_best_only=True, save_weights_only=True
                ),
                keras.callbacks.EarlyStopping("val_auc", mode="max", patience=recipe.patience),
                _reporting(report, recipe.epochs * len(batches)),
            ],
            verbose=0,
        )
        network.load_weights(best)
    curves = {name: [float(v) for v in values] for name, values in history.history.items()}
    return TrainedMember(recipe, network, curves)


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Weights under which both classes count alike: n / (2 n_class)."""
    counts = np.bincount(labels, minlength=2)
    return {label: len(labels) / (2 * int(count)) for label, count in enumerate(counts) if count}


def _optimizer(recipe: Recipe, steps: int) -> "keras.Optimizer":
    import keras

    total = recipe.epochs * steps
    schedule = keras.optimizers.schedules.CosineDecay(
        0.1 * recipe.learning_rate,
        decay_steps=total - steps // 2,
        alpha=0.02,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps // 2,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)


def _reporting(report: Report, total: int) -> "keras.callbacks.Callback":
    import keras

    class Reporting(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.done = 0

        def on_train_batch_end(self, _batch: int, logs: dict[str, float] | None = None) -> None:
            self.done += 1
            report(self.done, total, logs or {})

        def on_epoch_end(self, _epoch: int, logs: dict[str, float] | None = None) -> None:
            report(self.done, total, logs or {})

    return Reporting()


def _augmented_batches(recipe: Recipe, data: LabelledImages, seed: int) -> Any:
    """A Keras data set: each epoch every film once, changed anew, in a new order."""
    import keras

    size = recipe.input_size
    images = np.stack([standardise(image, size) for image in data.images])
    labels = data.labels.astype(np.float32)

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
            self.epoch = 0
            self.order = np.arange(len(images))
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(images) / recipe.batch_size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            chosen = self.order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            generator = np.random.default_rng((seed, self.epoch, index))
            changed = [augment(images[i], recipe.augmentation, generator) for i in chosen]
            return np.stack(changed)[..., np.newaxis], labels[chosen]

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self.order = np.random.default_rng((seed, self.epoch)).permutation(len(images))

    return Batches()
