"""The training loop, one for every recipe."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from laboratory.networks import build
from laboratory.networks.imagenet import load_imagenet
from laboratory.networks.pruning import prune_channels
from laboratory.training.batches import LabelledImages, augmented_batches, class_weights
from laboratory.training.curves import add_to_curves, curves_path, read_curves
from laboratory.training.origin import check_origin, note_origin, origin_of
from laboratory.training.progress import ReportProgress, silent
from laboratory.training.recipes import Recipe, view_of
from models.digests import file_sha256
from models.memory import keep_freed_memory
from models.preprocessing import network_input
from models.weights import load_weights

if TYPE_CHECKING:
    import keras

#: Strength with which focal loss leaves easy films aside (Lin et al. 2017).
FOCAL_GAMMA = 2.0
#: Films on which a pruned network is compared with the wide one.
PRUNING_FILMS = 96


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """The weights that a network begins with.

    imagenet: a file of VGG16's weights, for a recipe that wants ImageNet; None lets Keras download
    it. weights: those of a trained member of the same network, from which training goes on,
    whatever the recipe says. wide: those of a trained member of the network that the recipe's is
    pruned from; None prunes ImageNet's.
    """

    imagenet: Path | None = None
    weights: Path | None = None
    wide: Path | None = None

    @property
    def digest(self) -> str | None:
        """The SHA-256 of the trained weights that it begins with; None if it has none."""
        trained = self.weights or self.wide
        return file_sha256(trained) if trained else None


def train_member(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    folder: Path,
    *,
    seed: int,
    start: InitialWeights | None = None,
    report: ReportProgress = silent,
) -> "keras.Model":
    """Train one network by its recipe. Returns it with the weights that the recipe keeps.

    folder: where the curves are written, `NAME.curves.csv`, and the state of a training that
    is under way; one that was interrupted goes on after its last whole epoch. Raises Misconfigured
    if the state there is of a training by another recipe, on other films or with another seed.
    """
    import keras

    start = start or InitialWeights()
    network = _new_network(recipe, start, train, seed)
    curves, state = curves_path(folder, recipe.name), folder / f"{recipe.name}.training"
    _begin_or_go_on(state, curves, _origin(recipe, train, tune, seed, start))
    done = read_curves(curves)
    batches = augmented_batches(recipe, train, seed, done=len(done.get("epoch", ())))
    _compile(network, recipe, len(batches))
    best = state / "best.weights.h5"
    inputs = network_input(tune.images, recipe.input_size, view_of(recipe))
    network.fit(
        batches,
        epochs=recipe.epochs,
        validation_data=(inputs, tune.labels.astype(np.float32)),
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


def _new_network(
    recipe: Recipe, start: InitialWeights, train: LabelledImages, seed: int
) -> "keras.Model":
    import keras

    keras.utils.set_random_seed(seed)
    network = build(recipe.network, recipe.input_size, **recipe.options)
    if start.weights:
        load_weights(network, start.weights)
    elif recipe.pruned_from:
        wide = build(recipe.pruned_from, recipe.input_size)
        if start.wide:
            load_weights(wide, start.wide)
        else:
            load_imagenet(wide, start.imagenet)
        films = np.random.default_rng(seed).permutation(train.images)[:PRUNING_FILMS]
        prune_channels(wide, network, films, view_of(recipe), seed)
    elif recipe.imagenet:
        load_imagenet(network, start.imagenet)
    return network


def _compile(network: "keras.Model", recipe: Recipe, steps: int) -> None:
    from keras import metrics

    network.compile(
        optimizer=_optimizer(recipe, steps),
        loss=_loss(recipe),
        metrics=[metrics.AUC(name="auc", num_thresholds=1000), metrics.Recall(name="recall")],
    )
    # Else TensorFlow makes its variables in the first step, and traces that step twice.
    network.optimizer.build(network.trainable_variables)


def _origin(
    recipe: Recipe, train: LabelledImages, tune: LabelledImages, seed: int, start: InitialWeights
) -> str:
    films = (train.images, train.labels, tune.images, tune.labels)
    return origin_of(recipe, seed, start.digest, arrays=films)


def _begin_or_go_on(state: Path, curves: Path, origin: str) -> None:
    """Make the folder of a training's state, or see that it is this training's."""
    note = state / "origin"
    check_origin(note, origin, state)
    if not note.exists():
        # Nothing is there, or a state of unknown origin.
        shutil.rmtree(state, ignore_errors=True)
        curves.unlink(missing_ok=True)
        state.mkdir(parents=True)
        note_origin(note, origin)


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


def _reporting(
    report: ReportProgress, epochs: int, steps: int, curves: Path
) -> "keras.callbacks.Callback":
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
            add_to_curves(curves, epoch, logs or {})

    return Reporting()
