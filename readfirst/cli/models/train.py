"""`models train`, `tune` and `transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from readfirst.cli.console import err, notice, print_json, print_table
from readfirst.cli.models.options import (
    Changes,
    Data,
    ImageNet,
    Json,
    Labels,
    Seed,
    films_of,
    found,
    print_metrics,
    settings_of,
    training_progress,
)
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

From = Annotated[
    str | None,
    typer.Option(
        "--from", help="Ensemble, by version or folder, whose members training goes on from."
    ),
]


def train(
    recipe: Annotated[
        str, typer.Argument(help="A recipe, or `ensemble` for the shipped members, combined.")
    ] = "ensemble",
    *,
    data: Data,
    labels: Labels = None,
    version: Annotated[str, typer.Option(help="Version of the new ensemble.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder. Default: the version's, in the home folder.")
    ] = None,
    imagenet: ImageNet = None,
    before: From = None,
    changes: Changes = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    miss_cost: Annotated[
        float, typer.Option(min=0.1, help="False alarms that one missed pneumonia weighs.")
    ] = 2.0,
    one_view: Annotated[
        bool, typer.Option("--one-view", help="See each film as it is, in one framing only.")
    ] = False,
    pixel_check: Annotated[
        bool, typer.Option(help="Train the check that refuses what is no chest film.")
    ] = True,
    seed: Seed = 1,
) -> None:
    """Train members by their recipes, combine them, set the threshold, and measure them.

    A run that was interrupted goes on: members whose weights lie in the folder are kept, and the
    one under way goes on after its last whole epoch.
    """
    from models.assembling import VIEWS, assemble
    from models.dataset import split
    from models.members import train_members, weights_path
    from models.pixel_check import train_pixel_check
    from models.preprocessing import AS_IT_IS
    from models.recipes import SHIPPED, Recipe, changed, recipe_named
    from models.training import Start

    said = settings_of(changes) | ({"epochs": str(epochs)} if epochs else {})
    chosen = list(SHIPPED) if recipe == "ensemble" else [recipe_named(recipe)]
    recipes = [changed(one, said) for one in chosen]
    folder = output or load_settings().ensembles_path / version
    earlier = found(before) if before else None

    def start(one: Recipe) -> Start:
        if earlier is None:
            return Start(imagenet=imagenet)
        weights = weights_path(earlier, one)
        if not weights.exists():
            raise Misconfigured(f"{earlier} holds no {weights.name} to go on from.")
        return Start(weights=weights)

    parts = split(films_of(data, labels), seed)
    for part, films in parts.items():
        notice(f"{part.value}: {len(films)} images")
    with training_progress() as progress:
        train_members(
            recipes,
            parts,
            folder,
            seed=seed,
            start=start,
            report=lambda one: progress(one.name),
        )
        check = (
            train_pixel_check(parts, folder, seed=seed, report=progress("pixel-check"))
            if pixel_check
            else None
        )
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
    print_metrics(manifest, manifest.metrics, "held-out patients")
    notice(f"Ensemble {version} lies in {folder}.")


def tune(
    recipe: Annotated[str, typer.Argument(help="A recipe; tuned-cnn has its study's space.")],
    *,
    data: Data,
    labels: Labels = None,
    trials: Annotated[int, typer.Option(min=1, help="Trainings in all.")] = 5,
    objective: Annotated[
        str | None,
        typer.Option(
            help="val_auc or val_recall. Default: that of the study for tuned-cnn, else val_auc."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder. Default: `tuning/RECIPE` in the home folder.")
    ] = None,
    imagenet: ImageNet = None,
    changes: Changes = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Search a recipe's parameters by Bayesian optimisation, on the tuning patients.

    A search that was interrupted goes on where it was; more trials add to it.
    """
    from models.dataset import Part, labels_of, load_images, split
    from models.recipes import changed, recipe_named
    from models.training import LabelledImages, Start
    from models.tuning import Objective, neighbourhood, search, widths

    if objective not in (None, "val_auc", "val_recall"):
        raise Misconfigured("--objective is val_auc or val_recall.")
    wanted: Objective | None = "val_recall" if objective == "val_recall" else "val_auc"
    base = changed(recipe_named(recipe), settings_of(changes))
    if recipe == "tuned-cnn":
        space = widths() if objective is None else widths(wanted or "val_recall")
    else:
        space = neighbourhood(base, wanted or "val_auc")
    folder = output or load_settings().home_path / "tuning" / recipe
    folder.mkdir(parents=True, exist_ok=True)
    parts = split(films_of(data, labels), seed)
    train_films, tune_films = (
        LabelledImages(load_images(parts[part]), labels_of(parts[part]))
        for part in (Part.TRAIN, Part.TUNE)
    )
    with training_progress() as progress:
        done = search(
            space,
            base,
            train_films,
            tune_films,
            folder,
            trials=trials,
            seed=seed,
            storage=folder / "search.db",
            start=Start(imagenet=imagenet),
            report=progress(recipe),
        )
    if json:
        print_json(done)
        return
    print_table(
        f"Trials by {space.objective}, best first",
        ("Trial", space.objective, "Seconds", "Parameters"),
        [
            (
                str(trial.number),
                f"{trial.value:.4f}",
                f"{trial.seconds:.0f}",
                ", ".join(f"{name}={value}" for name, value in trial.params.items()),
            )
            for trial in done
        ],
    )
    notice(f"trials.json and the curves of each lie in {folder}.")


def transfer(
    recipe: Annotated[str, typer.Argument(help="A recipe.")],
    *,
    data: Data,
    imagenet: ImageNet = None,
    changes: Changes = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder. Default: `transfer/RECIPE` in the home folder.")
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Train on half of the acquisition groups and measure on the others, both ways.

    What a held-out patient of the same groups cannot show: what a recipe and the way its
    threshold is set are worth on films that were acquired apart.
    """
    from models.dataset import read_folder
    from models.recipes import changed, recipe_named
    from models.training import Start
    from models.transfer import transfer as measure

    one = changed(recipe_named(recipe), settings_of(changes))
    folder = output or load_settings().home_path / "transfer" / recipe
    folder.mkdir(parents=True, exist_ok=True)
    with training_progress() as progress:
        results = measure(
            one,
            read_folder(data),
            folder,
            seed=seed,
            start=Start(imagenet=imagenet),
            report=progress,
        )
    if json:
        print_json(results)
        return
    print_table(
        f"{recipe}, where it was not trained",
        ("Trained on", "Measured on", "Films", "AUC", "one view", "ECE", "Robust", "Quantile"),
        [
            (
                " + ".join(row.trained_on),
                " + ".join(row.measured_on),
                str(row.films),
                f"{row.auc:.4f}",
                f"{row.auc_without_views:.4f}",
                f"{row.ece:.3f}",
                _pair(row.robust),
                _pair(row.by_quantile),
            )
            for row in results
        ],
    )
    notice("Robust and Quantile: sensitivity / specificity at the two thresholds.")


def _pair(values: tuple[float, float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)
