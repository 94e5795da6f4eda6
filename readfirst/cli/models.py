"""`models …`: the laboratory. Lists, trains, measures and promotes ensembles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.dataset import Part
from models.manifest import Estimate, Manifest, Metrics, available_ensembles, load_manifest
from models.recipes import Recipe
from models.training import Report
from readfirst.cli.console import err, notice, print_json, print_table
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

app = typer.Typer(help="List, train, evaluate and promote ensembles.", no_args_is_help=True)

Data = Annotated[
    Path,
    typer.Option(exists=True, file_okay=False, help="Folder with NORMAL and PNEUMONIA in it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Seed = Annotated[int, typer.Option(help="Decides which patients are trained on.")]


@app.command("list")
def list_ensembles(json: Json = False) -> None:
    """List the ensembles that can be used, the shipped ones and the site's own."""
    manifests = [
        load_manifest(path) for path in available_ensembles(load_settings().ensembles_path).values()
    ]
    manifests.sort(key=lambda manifest: manifest.created)
    if json:
        print_json(manifests)
        return
    print_table(
        "Ensembles",
        ("Version", "Members", "Threshold", "AUC", "Sensitivity", "Specificity", "Measured on"),
        [
            (
                manifest.version,
                ", ".join(member.name for member in manifest.members),
                f"{manifest.threshold:.3f}",
                _estimate(manifest.metrics.auc),
                _estimate(manifest.metrics.sensitivity),
                _estimate(manifest.metrics.specificity),
                f"{manifest.metrics.images} images, {manifest.metrics.patients} patients",
            )
            for manifest in manifests
        ],
    )


@app.command()
def train(
    recipe: Annotated[
        str, typer.Argument(help="One member's recipe, or `ensemble` for all of them, combined.")
    ] = "ensemble",
    *,
    data: Data,
    version: Annotated[str, typer.Option(help="Version of the new ensemble.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder. Default: the version's, in the home folder.")
    ] = None,
    imagenet: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="VGG16's ImageNet weights. Default: downloaded."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    sensitivity: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Share of the sick films to be flagged.")
    ] = 0.96,
    seed: Seed = 1,
) -> None:
    """Train members by their recipes, combine them, set the threshold, and measure them.

    A run that was interrupted goes on: members whose weights lie in the folder are kept.
    """
    from dataclasses import replace

    from models.assembling import assemble
    from models.dataset import read_folder, split
    from models.members import train_members
    from models.recipes import RECIPES, recipe_named

    recipes = list(RECIPES.values()) if recipe == "ensemble" else [recipe_named(recipe)]
    if epochs is not None:
        recipes = [replace(one, epochs=epochs) for one in recipes]
    folder = output or load_settings().ensembles_path / version
    with err.status("Reading the films …"):
        parts = split(read_folder(data), seed)
    for part, films in parts.items():
        notice(f"{part.value}: {len(films)} images")
    with training_progress() as report:
        train_members(recipes, parts, folder, seed=seed, imagenet=imagenet, report=report)
    with err.status("Combining and measuring …"):
        manifest = assemble(
            recipes, parts, folder, version=version, seed=seed, stated_sensitivity=sensitivity
        )
    _print_metrics(manifest, manifest.metrics, Part.HELD_OUT.value)
    notice(f"Ensemble {version} lies in {folder}.")


@app.command()
def evaluate(
    ensemble: Annotated[
        str | None,
        typer.Argument(help="Version, or folder of an ensemble. Default: the newest shipped."),
    ] = None,
    *,
    data: Data,
    part: Annotated[
        Part | None,
        typer.Option(
            "--split", help="Patients of this part of the split only. Default: every film."
        ),
    ] = None,
    prevalence: Annotated[float, typer.Option(min=0.001, max=0.999, help="For PPV and NPV.")] = 0.2,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Measure an ensemble at its threshold, each figure with its 95 % interval.

    For the data that an ensemble was trained on, say `--split held-out` and the seed of its
    training: only then were the patients never seen.
    """
    from models.assembling import measure
    from models.dataset import read_folder, split
    from models.ensemble import load_ensemble

    folder = _folder(ensemble)
    films = read_folder(data)
    if part is not None:
        films = split(films, seed)[part]
    with err.status(f"Scoring {len(films)} films …"):
        metrics = measure(load_ensemble(folder, "float32"), films, prevalence)
    if json:
        print_json(metrics)
    else:
        _print_metrics(load_manifest(folder), metrics, part.value if part else "all films")


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="Version as `models list` shows it.")],
) -> None:
    """Make an ensemble the active one. The night scores again what it has not seen."""
    from readfirst.cli.worklist import opened
    from worker.judgement import Judgement

    settings = load_settings()
    judgement = Judgement(settings.ensembles_path, settings.precision)
    with opened(settings) as database, database.write() as session:
        judgement.promote(session, version, datetime.now(UTC))
    notice(f"Ensemble {version} is active.")


@contextmanager
def training_progress() -> Iterator[Callable[[Recipe], Report]]:
    """A bar on stderr for each recipe, with its figures: made when its training begins."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[figures]}"), console=err) as progress:

        def bar(recipe: Recipe) -> Report:
            task = progress.add_task(recipe.name, total=None, figures="")

            def report(done: int, total: int, figures: dict[str, float]) -> None:
                shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
                progress.update(task, completed=done, total=total, figures=shown)

            return report

        yield bar


def _folder(ensemble: str | None) -> Path:
    from models.manifest import shipped_version

    if ensemble is not None and Path(ensemble).is_dir():
        return Path(ensemble)
    version = ensemble or shipped_version()
    found = available_ensembles(load_settings().ensembles_path)
    if version not in found:
        raise Misconfigured(f"There is no ensemble {version}; see `readfirst models list`.")
    return found[version]


def _print_metrics(manifest: Manifest, metrics: Metrics, films: str) -> None:
    named = {
        "AUC": metrics.auc,
        "Sensitivity": metrics.sensitivity,
        "Specificity": metrics.specificity,
        "Accuracy": metrics.accuracy,
        "F1": metrics.f1,
        f"PPV at prevalence {metrics.prevalence:g}": metrics.ppv,
        f"NPV at prevalence {metrics.prevalence:g}": metrics.npv,
        "ECE": metrics.ece,
    }
    print_table(
        f"Ensemble {manifest.version} on {films}: {metrics.images} images "
        f"({metrics.pneumonia} pneumonia) of {metrics.patients} patients, "
        f"threshold {manifest.threshold:.3f}",
        ("Figure", "Value", "95 % interval"),
        [
            (name, f"{figure.value:.3f}", f"{figure.low:.3f} – {figure.high:.3f}")
            for name, figure in named.items()
            if figure is not None
        ],
    )


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
