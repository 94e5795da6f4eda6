"""`models compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.common.console import err, print_json, print_table
from cli.models.ensembles import find_manifest, load_by_name
from cli.models.figures import by_label, with_interval
from cli.models.films import read_films
from cli.models.options import Json, Labels
from models.manifest import Manifest
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    from laboratory.evaluation.model_comparison import Difference


def compare(
    first: Annotated[str, typer.Argument(help="Version, folder, or VERSION:MEMBER.")],
    second: Annotated[str, typer.Argument(help="Version, folder, or VERSION:MEMBER.")],
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Score these films with both, and give the difference with its interval. "
            "Default: the figures of the manifests.",
        ),
    ] = None,
    labels: Labels = None,
    json: Json = False,
) -> None:
    """Compare two ensembles, side by side or film by film."""
    if data is None:
        _compare_manifests(find_manifest(first), find_manifest(second), json)
        return
    from laboratory.data.dataset import labels_of, load_images
    from laboratory.evaluation.model_comparison import differences

    films = read_films(data, labels)
    images = load_images(films)
    probabilities, thresholds = [], []
    for name in (first, second):
        with err.status(Text(f"Scoring {len(films)} films with {name} …")):
            ensemble, _ = load_by_name(name)
            probabilities.append([score.probability for score in ensemble.scores(images)])
            thresholds.append(ensemble.threshold)
    patients = [film.patient for film in films]
    rows = differences(labels_of(films), probabilities, thresholds, patients)
    if json:
        print_json(rows)
    else:
        _print_differences(rows, first, second, len(films))


def _print_differences(rows: Sequence[Difference], first: str, second: str, images: int) -> None:
    print_table(
        f"{second} less {first}, on {images} images",
        ("Figure", first, second, "Difference", "95 % interval"),
        [
            (
                row.figure,
                f"{row.first:.3f}",
                f"{row.second:.3f}",
                f"{row.difference.value:+.3f}",
                f"{row.difference.low:+.3f} – {row.difference.high:+.3f}",
            )
            for row in rows
        ],
    )


def _compare_manifests(first: Manifest, second: Manifest, json: bool) -> None:
    if json:
        print_json([first, second])
        return
    of_first, of_second = by_label(first.metrics), by_label(second.metrics)
    if set(of_first) != set(of_second):
        raise Misconfigured("Their predictive values are stated at different prevalences.")
    print_table(
        "As their manifests say, each on its own held-out films",
        ("Figure", first.version, second.version),
        [
            (name, with_interval(figure), with_interval(of_second[name]))
            for name, figure in of_first.items()
        ],
    )
