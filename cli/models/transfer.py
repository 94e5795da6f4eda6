"""`models transfer`: cross-group validation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import notice, print_json, print_table
from cli.models.options import Changes, Data, ImageNet, Json, RecipeName, Seed
from cli.models.trainings import output_folder, recipe_with, training_progress

if TYPE_CHECKING:
    from laboratory.evaluation.cross_group_validation import CrossGroupResult


def transfer(
    recipe: RecipeName,
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
    from laboratory.data.dataset import read_folder
    from laboratory.evaluation.cross_group_validation import cross_group_validation
    from laboratory.training.train_member import InitialWeights

    changed = recipe_with(recipe, changes)
    folder = output_folder(output, "transfer", recipe)
    with training_progress() as progress:
        results = cross_group_validation(
            changed,
            read_folder(data),
            folder,
            seed=seed,
            start=InitialWeights(imagenet=imagenet),
            report=progress,
        )
    if json:
        print_json(results)
        return
    _print_results(recipe, results)
    notice("Robust and Quantile: sensitivity / specificity at the two thresholds.")


def _print_results(recipe: str, results: Sequence[CrossGroupResult]) -> None:
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


def _pair(values: tuple[float, float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)
