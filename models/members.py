"""Trained members in a folder: weights and curves of each, kept as soon as it is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.dataset import Film, Part, labels_of, load_images
from models.networks import build
from models.recipes import Recipe
from models.training import LabelledImages, Report, Start, silent, train_member
from models.weights import load_weights, save_weights

if TYPE_CHECKING:
    import keras


def train_members(
    recipes: list[Recipe],
    parts: dict[Part, list[Film]],
    folder: Path,
    *,
    seed: int,
    start: Callable[[Recipe], Start] = lambda _: Start(),
    report: Callable[[Recipe], Report] = lambda _: silent,
) -> None:
    """Train each recipe on the training patients and write its files into the folder.

    A member whose weights lie there already is not trained again, and one that was interrupted
    goes on. start, report: asked for what a recipe begins with, and whom to tell how it gets on.
    """
    missing = [recipe for recipe in recipes if not weights_path(folder, recipe).exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    train, tune = (
        LabelledImages(load_images(parts[part]), labels_of(parts[part]))
        for part in (Part.TRAIN, Part.TUNE)
    )
    for recipe in missing:
        network = train_member(
            recipe, train, tune, folder, seed=seed, start=start(recipe), report=report(recipe)
        )
        save_weights(network, weights_path(folder, recipe))


def load_member(folder: Path, recipe: Recipe) -> "keras.Model":
    """A trained member, with the weights as they are shipped. Raises Misconfigured."""
    network = build(recipe.network, recipe.input_size, **recipe.options)
    load_weights(network, weights_path(folder, recipe))
    return network


def weights_path(folder: Path, recipe: Recipe) -> Path:
    """Where a member's weights lie."""
    return folder / f"{recipe.name}.safetensors"
