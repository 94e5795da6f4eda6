"""Batches of films for training: their order, their changes, and the weights of the classes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from laboratory.data.augmentation import augment
from laboratory.training.recipes import Recipe, view_of
from models.preprocessing import Array8, framed


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Films for training. images: (n, 224, 224) uint8. labels: (n,), 1 is pneumonia."""

    images: Array8
    labels: np.ndarray


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Return the weights under which both classes count alike: n / (2 n_class)."""
    counts = np.bincount(labels, minlength=2)
    return {label: len(labels) / (2 * int(count)) for label, count in enumerate(counts) if count}


def epoch_order(labels: np.ndarray, balance: str, generator: np.random.Generator) -> np.ndarray:
    """Put the films of one epoch in a new order; with oversampling the smaller class is repeated
    until both are equal. labels: (n,). Returns indices.
    """
    chosen = np.arange(len(labels))
    counts = np.bincount(labels, minlength=2)
    if balance == "oversampling" and counts.min():
        rare = np.flatnonzero(labels == counts.argmin())
        more = generator.choice(rare, size=counts.max() - counts.min())
        chosen = np.concatenate([chosen, more])
    return generator.permutation(chosen)


def augmented_batches(recipe: Recipe, data: LabelledImages, seed: int, done: int) -> Any:
    """Make a Keras data set: each epoch every film, changed anew, in a new order. done: epochs."""
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
