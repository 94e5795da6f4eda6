"""`models train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, notice
from cli.models.ensembles import find_folder
from cli.models.figures import print_metrics
from cli.models.films import read_films
from cli.models.options import Changes, Data, ImageNet, Labels, Seed
from cli.models.registry import sample_scores
from cli.models.trainings import parse_changes, training_progress
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from laboratory.data.dataset import LabelledFilm, Subset
    from laboratory.training.progress import ReportProgress
    from laboratory.training.recipes import Recipe
    from laboratory.training.train_member import InitialWeights
    from models.manifest import PixelCheck

RecipeOrEnsemble = Annotated[
    str,
    typer.Argument(
        help="A recipe, `ensemble` for the shipped members, combined, or `pixel-check` for the "
        "pixel check alone."
    ),
]
Version = Annotated[str, typer.Option(help="Version of the new ensemble.")]
Output = Annotated[
    Path | None, typer.Option(help="Folder. Default: the version's, in the home folder.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Ensemble, by version or folder, whose members training goes on from, or whose VGG16 "
        "is pruned.",
    ),
]
Epochs = Annotated[int | None, typer.Option(min=1, max=100_000, help="Instead of the recipe's.")]
MissCost = Annotated[
    float, typer.Option(min=0.1, max=1000, help="False alarms that one missed pneumonia weighs.")
]
OneView = Annotated[
    bool, typer.Option("--one-view", help="See each film as it is, in one framing only.")
]
WithCheck = Annotated[
    bool, typer.Option(help="Train the check that refuses what is no chest film.")
]
Elsewhere = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with films.csv: real films of other people, and images that are none, for the "
        "pixel check. Half of the patients are only measured on.",
    ),
]


def train(
    recipe: RecipeOrEnsemble = "ensemble",
    *,
    data: Data,
    labels: Labels = None,
    version: Version,
    output: Output = None,
    imagenet: ImageNet = None,
    before: From = None,
    changes: Changes = None,
    epochs: Epochs = None,
    miss_cost: MissCost = 2.0,
    one_view: OneView = False,
    pixel_check: WithCheck = True,
    elsewhere: Elsewhere = None,
    seed: Seed = 1,
) -> None:
    """Train members by their recipes, combine them, set the threshold, and measure them.

    A run that was interrupted goes on: members whose weights lie in the folder are kept, and the
    one under way goes on after its last whole epoch.

    The pixel check alone is written with `pixel-check.json`, which is what a manifest says of it.
    """
    from laboratory.assembly.assemble_ensemble import assemble
    from laboratory.data.dataset import split
    from laboratory.training.recipes import PIXEL_CHECK, VIEWS
    from models.golden import write_golden
    from models.preprocessing import AS_IT_IS

    recipes = _recipes(recipe, changes, epochs)
    folder = output or load_settings().ensembles_path / version
    start = _initial_weights(imagenet, find_folder(before) if before else None)
    parts = split(read_films(data, labels), seed)
    for part, films in parts.items():
        notice(f"{part.value}: {len(films)} images")
    if recipe == PIXEL_CHECK.name:
        _train_check_alone(recipes[0], parts, folder, seed, elsewhere)
        return
    check = _train(recipes, parts, folder, seed, start, pixel_check, elsewhere)
    with err.status("Combining and measuring …"):
        manifest = assemble(
            recipes,
            parts,
            folder,
            version=version,
            seed=seed,
            miss_cost=miss_cost,
            views=(AS_IT_IS,) if one_view else VIEWS,
            pixel_check=check,
        )
        write_golden(folder, sample_scores(folder, load_settings()))
    print_metrics(manifest, manifest.metrics, "held-out patients")
    notice(f"Ensemble {version} lies in {folder}.")


def _train(
    recipes: list[Recipe],
    parts: dict[Subset, list[LabelledFilm]],
    folder: Path,
    seed: int,
    start: Callable[[Recipe], InitialWeights],
    pixel_check: bool,
    elsewhere: Path | None,
) -> PixelCheck | None:
    from laboratory.training.member_store import train_members
    from laboratory.training.recipes import PIXEL_CHECK

    with training_progress() as progress:
        train_members(
            recipes,
            parts,
            folder,
            seed=seed,
            start=start,
            report=lambda recipe: progress(recipe.name),
        )
        if not pixel_check:
            return None
        return _train_check(PIXEL_CHECK, parts, folder, seed, elsewhere, progress("pixel-check"))


def _train_check_alone(
    recipe: Recipe,
    parts: dict[Subset, list[LabelledFilm]],
    folder: Path,
    seed: int,
    elsewhere: Path | None,
) -> None:
    with training_progress() as progress:
        check = _train_check(recipe, parts, folder, seed, elsewhere, progress(recipe.name))
    (folder / f"{recipe.name}.json").write_text(check.model_dump_json(indent=2) + "\n")
    notice(f"The pixel check lies in {folder}.")


def _train_check(
    recipe: Recipe,
    parts: dict[Subset, list[LabelledFilm]],
    folder: Path,
    seed: int,
    elsewhere: Path | None,
    report: ReportProgress,
) -> PixelCheck:
    from laboratory.data.elsewhere import read_elsewhere
    from laboratory.pixel_check.train_pixel_check import train_pixel_check

    others = read_elsewhere(elsewhere) if elsewhere else ()
    return train_pixel_check(
        parts, folder, seed=seed, recipe=recipe, elsewhere=others, report=report
    )


def _recipes(name: str, changes: list[str] | None, epochs: int | None) -> list[Recipe]:
    from laboratory.training.recipes import SHIPPED, changed, recipe_named

    settings = parse_changes(changes) | ({"epochs": str(epochs)} if epochs else {})
    chosen = list(SHIPPED) if name == "ensemble" else [recipe_named(name)]
    return [changed(recipe, settings) for recipe in chosen]


def _initial_weights(
    imagenet: Path | None, earlier: Path | None
) -> Callable[[Recipe], InitialWeights]:
    """Return what tells the initial weights of a recipe. earlier: the folder of an ensemble."""
    from laboratory.training.member_store import weights_path
    from laboratory.training.train_member import InitialWeights
    from models.manifest import load_manifest

    def start(recipe: Recipe) -> InitialWeights:
        if earlier is None:
            return InitialWeights(imagenet=imagenet)
        weights = weights_path(earlier, recipe)
        if weights.exists():
            return InitialWeights(weights=weights)
        wide = [
            earlier / member.file
            for member in load_manifest(earlier).members
            if member.network == recipe.pruned_from
        ]
        if not wide:
            raise Misconfigured(f"{earlier} holds no {weights.name} to go on from.")
        return InitialWeights(wide=wide[0])

    return start
