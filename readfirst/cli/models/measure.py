"""`models evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.dataset import Part
from readfirst.cli.console import err, notice, print_json, print_table
from readfirst.cli.models.options import (
    Data,
    Json,
    Labels,
    Seed,
    films_of,
    loaded,
    named,
    print_metrics,
    short,
)


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
    part: Annotated[
        Part | None,
        typer.Option(
            "--split", help="Patients of this part of the split only. Default: every film."
        ),
    ] = None,
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
    from models.dataset import load_images, split
    from models.measuring import measure
    from models.reporting.report import write_report

    films = films_of(data, labels)
    if part is not None:
        films = split(films, seed)[part]
    images = load_images(films)
    evaluated, manifests = [], []
    names: list[str | None] = [*models] if models else [None]
    for name in names:
        with err.status(f"Scoring {len(films)} films with {name or 'the shipped ensemble'} …"):
            ensemble, folder = loaded(name)
            refused = len(films) - int(ensemble.is_chest(images).sum())
            shown = name if name and ":" in name else ensemble.version
            evaluated.append(measure(ensemble, films, images, shown, folder, prevalence))
            manifests.append(ensemble.manifest)
        if refused:
            notice(f"{shown}: the pixel check would refuse {refused} of {len(films)} films.")
    if report is not None:
        with err.status("Drawing …"):
            path = write_report(evaluated, report)
        notice(f"The report is {path}.")
    if json:
        metrics = [one.metrics for one in evaluated]
        print_json(metrics[0] if len(metrics) == 1 else metrics)
    elif len(evaluated) == 1:
        print_metrics(manifests[0], evaluated[0].metrics, part.value if part else "all films")
    else:
        print_table(
            f"{len(films)} films, {part.value if part else 'all of them'}",
            ("Model", *named(evaluated[0].metrics)),
            [
                (one.name, *(short(e) if e else "–" for e in named(one.metrics).values()))
                for one in evaluated
            ],
        )
