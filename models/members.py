"""Trained members in a folder: weights and curves of each, kept as soon as it is trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.dataset import Film, Part, labels_of, load_images
from models.networks import build
from models.recipes import Recipe
from models.training import LabelledImages, Report, silent, train_member
from models.weights import load_weights, save_weights

if TYPE_CHECKING:
    import keras


def train_members(
    recipes: list[Recipe],
    parts: dict[Part, list[Film]],
    folder: Path,
    *,
    seed: int,
    imagenet: Path | None = None,
    report: Callable[[Recipe], Report] = lambda _: silent,
) -> None:
    """Train each recipe on the training patients and write its files into the folder.

    A member whose weights lie there already is not trained again, so that a run that was
    interrupted goes on with the next one. report: asked for whom to tell how a recipe gets on.
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
        member = train_member(
            recipe, train, tune, seed=seed, imagenet=imagenet, report=report(recipe)
        )
        curves = json.dumps(member.curves, indent=1)
        (folder / f"{recipe.name}.curves.json").write_text(curves + "\n")
        save_weights(member.network, weights_path(folder, recipe))


def load_member(folder: Path, recipe: Recipe) -> "keras.Model":
    """A trained member, with the weights as they are shipped. Raises Misconfigured."""
    network = build(recipe.network, recipe.input_size)
    load_weights(network, weights_path(folder, recipe))
    return network


def weights_path(folder: Path, recipe: Recipe) -> Path:
    """Where a member's weights lie."""
    return folder / f"{recipe.name}.safetensors"
