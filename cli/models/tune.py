"""`models tune`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import notice, print_json, print_table
from cli.models.films import load_labelled, read_films
from cli.models.options import Changes, Data, ImageNet, Json, Labels, Seed
from cli.models.trainings import output_folder, recipe_with, training_progress
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    from laboratory.training.recipes import Recipe
    from laboratory.tuning.bayesian_search import Trial
    from laboratory.tuning.search_space import Space

Trials = Annotated[int, typer.Option(min=1, max=100_000, help="Trainings in all.")]
ObjectiveName = Annotated[
    str | None,
    typer.Option(
        help="val_auc or val_recall. Default: that of the study for tuned-cnn, else val_auc."
    ),
]
Output = Annotated[
    Path | None, typer.Option(help="Folder. Default: `tuning/RECIPE` in the home folder.")
]


def tune(
    recipe: Annotated[str, typer.Argument(help="A recipe; tuned-cnn has its study's space.")],
    *,
    data: Data,
    labels: Labels = None,
    trials: Trials = 5,
    objective: ObjectiveName = None,
    output: Output = None,
    imagenet: ImageNet = None,
    changes: Changes = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Search a recipe's parameters by Bayesian optimisation, on the tuning patients.

    A search that was interrupted goes on where it was; more trials add to it.
    """
    from laboratory.data.dataset import Subset, split
    from laboratory.training.train_member import InitialWeights
    from laboratory.tuning.bayesian_search import search

    if objective not in (None, "val_auc", "val_recall"):
        raise Misconfigured("--objective is val_auc or val_recall.")
    base = recipe_with(recipe, changes)
    space = _space(recipe, base, objective)
    folder = output_folder(output, "tuning", recipe)
    parts = split(read_films(data, labels), seed)
    with training_progress() as progress:
        done = search(
            space,
            base,
            load_labelled(parts[Subset.TRAIN]),
            load_labelled(parts[Subset.TUNE]),
            folder,
            trials=trials,
            seed=seed,
            storage=folder / "search.db",
            start=InitialWeights(imagenet=imagenet),
            report=progress(recipe),
        )
    if json:
        print_json(done)
        return
    _print_trials(done, space.objective)
    notice(f"trials.json and the curves of each lie in {folder}.")


def _space(name: str, base: Recipe, objective: str | None) -> Space:
    from laboratory.tuning.search_space import Objective, neighbourhood, widths

    default: Objective = "val_recall" if name == "tuned-cnn" else "val_auc"
    wanted: Objective = default
    if objective is not None:
        wanted = "val_recall" if objective == "val_recall" else "val_auc"
    return widths(wanted) if name == "tuned-cnn" else neighbourhood(base, wanted)


def _print_trials(trials: Sequence[Trial], objective: str) -> None:
    print_table(
        f"Trials by {objective}, best first",
        ("Trial", objective, "Seconds", "Parameters"),
        [
            (
                str(trial.number),
                f"{trial.value:.4f}",
                f"{trial.seconds:.0f}",
                ", ".join(f"{name}={value}" for name, value in trial.params.items()),
            )
            for trial in trials
        ],
    )
