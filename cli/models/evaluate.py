"""`models evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.common.console import err, notice, out, print_json, print_table
from cli.models.ensembles import load_by_name
from cli.models.figures import by_label, disagreement_text, print_metrics, with_interval
from cli.models.films import read_films, take_subset
from cli.models.options import Data, Json, Labels, Seed, SubsetName
from readfirst.files.private_files import users_umask

if TYPE_CHECKING:
    import numpy as np

    from laboratory.data.dataset import LabelledFilm
    from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
    from models.manifest import Manifest


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ensembles by version or folder, or single members as VERSION:MEMBER; any number, "
            "side by side. Default: the newest shipped ensemble."
        ),
    ] = None,
    *,
    data: Data,
    labels: Labels = None,
    part: SubsetName = None,
    prevalence: Annotated[float, typer.Option(min=0.001, max=0.999, help="For PPV and NPV.")] = 0.2,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for report.html, with every plot, and report.json."),
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Measure ensembles at their thresholds, each figure with its 95 % interval.

    For the data that an ensemble was trained on, say `--split held-out` and the seed of its
    training: only then were the patients never seen. The pixel check is left out, so that every
    film is counted; how many it would refuse is said.
    """
    from laboratory.data.dataset import load_images

    films = take_subset(read_films(data, labels), part, seed)
    images = load_images(films)
    names: list[str | None] = [*models] if models else [None]
    measured = [_measure(name, films, images, prevalence) for name in names]
    evaluated = [model for _, model in measured]
    if report is not None:
        _write_report(evaluated, report)
    if json:
        metrics = [model.metrics for model in evaluated]
        print_json(metrics[0] if len(metrics) == 1 else metrics)
        return
    if len(evaluated) == 1:
        print_metrics(measured[0][0], evaluated[0].metrics, part or "all films")
    else:
        _print_side_by_side(evaluated, f"{len(films)} films, {part or 'all of them'}")
    for model in evaluated:
        if model.disagreement is not None:
            out().print(Text(disagreement_text(model.name, model.disagreement)), soft_wrap=True)


def _measure(
    name: str | None, films: Sequence[LabelledFilm], images: np.ndarray, prevalence: float
) -> tuple[Manifest, EvaluatedModel]:
    from laboratory.evaluation.evaluate_ensemble import evaluate_ensemble

    with err.status(Text(f"Scoring {len(films)} films with {name or 'the shipped ensemble'} …")):
        ensemble, folder = load_by_name(name)
        refused = len(films) - int(ensemble.is_chest(images).sum())
        label = name if name and ":" in name else ensemble.version
        model = evaluate_ensemble(ensemble, films, images, label, folder, prevalence)
    if refused:
        notice(f"{label}: the pixel check would refuse {refused} of {len(films)} films.")
    return ensemble.manifest, model


def _write_report(evaluated: Sequence[EvaluatedModel], folder: Path) -> None:
    from laboratory.reporting.report import write_report

    with err.status("Drawing …"), users_umask():
        path = write_report(evaluated, folder)
    notice(f"The report is {path}.")


def _print_side_by_side(evaluated: Sequence[EvaluatedModel], title: str) -> None:
    print_table(
        title,
        ("Model", *by_label(evaluated[0].metrics)),
        [
            (model.name, *(with_interval(figure) for figure in by_label(model.metrics).values()))
            for model in evaluated
        ],
    )
