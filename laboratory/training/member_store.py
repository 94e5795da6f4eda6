"""Trained members in a folder: weights and curves of each, kept as soon as it is trained."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from laboratory.data.dataset import LabelledFilm, Subset, labels_of, load_images
from laboratory.networks import build
from laboratory.training.batches import LabelledImages
from laboratory.training.origin import check_origin, note_origin, origin_of
from laboratory.training.progress import ReportProgress, silent
from laboratory.training.recipes import Recipe
from laboratory.training.train_member import InitialWeights, train_member
from models.weights import load_weights, save_weights

if TYPE_CHECKING:
    import keras


def train_members(
    recipes: list[Recipe],
    parts: dict[Subset, list[LabelledFilm]],
    folder: Path,
    *,
    seed: int,
    start: Callable[[Recipe], InitialWeights] = lambda _: InitialWeights(),
    report: Callable[[Recipe], ReportProgress] = lambda _: silent,
) -> None:
    """Train each recipe on the training patients and write its files into the folder.

    A member whose weights lie there already is not trained again, and one that was interrupted
    goes on. start, report: give the initial weights and the progress report of a recipe.
    Raises Misconfigured if what lies there was trained by another recipe, on other films or with
    another seed: the ensemble would be measured on films that it knows.
    """
    origins = {recipe.name: _origin(recipe, parts, seed, start(recipe)) for recipe in recipes}
    for recipe in recipes:
        weights = weights_path(folder, recipe)
        if weights.exists():
            check_origin(origin_path(folder, recipe), origins[recipe.name], weights)
    missing = [recipe for recipe in recipes if not weights_path(folder, recipe).exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    train, tune = (
        LabelledImages(load_images(parts[part]), labels_of(parts[part]))
        for part in (Subset.TRAIN, Subset.TUNE)
    )
    for recipe in missing:
        network = train_member(
            recipe, train, tune, folder, seed=seed, start=start(recipe), report=report(recipe)
        )
        note_origin(origin_path(folder, recipe), origins[recipe.name])
        save_weights(network, weights_path(folder, recipe))


def load_member(folder: Path, recipe: Recipe) -> "keras.Model":
    """Load a trained member, with the weights as they are shipped. Raises Misconfigured."""
    network = build(recipe.network, recipe.input_size, **recipe.options)
    load_weights(network, weights_path(folder, recipe))
    return network


def origin_path(folder: Path, recipe: Recipe) -> Path:
    """Return the path of the note of what a member's weights were made of."""
    return folder / f"{recipe.name}.origin"


def film_names(parts: Mapping[Subset, Sequence[LabelledFilm]]) -> list[tuple[str, str, int, str]]:
    """List which film is in which subset, by the names of the files, wherever these lie."""
    return [
        (part.value, film.path.name, film.label, film.patient)
        for part, films in parts.items()
        for film in films
    ]


def _origin(
    recipe: Recipe, parts: Mapping[Subset, Sequence[LabelledFilm]], seed: int, start: InitialWeights
) -> str:
    return origin_of(recipe, seed, start.digest, film_names(parts))


def weights_path(folder: Path, recipe: Recipe) -> Path:
    """Return the path of a member's weights."""
    return folder / f"{recipe.name}.safetensors"
