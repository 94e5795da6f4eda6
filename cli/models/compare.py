"""`models compare`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.common.console import err, notice, print_json, print_table
from cli.common.database import opened
from cli.models.ensembles import find_manifest, load_by_name
from cli.models.figures import by_label, with_interval
from cli.models.films import read_films
from cli.models.options import Json, Labels
from db.ensembles.comparison import ComparedEnsemble, EnsembleComparison, compare_ensembles
from models.manifest import Manifest
from readfirst.errors import Misconfigured
from readfirst.formatting import readable_percent, readable_share
from readfirst.settings import load_settings
from readfirst.statistics.operating_points import Interval

if TYPE_CHECKING:
    from laboratory.evaluation.model_comparison import Difference

#: In three columns: what it is, and what it is of both.
Row = tuple[str, str, str]


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
    site: Annotated[
        bool,
        typer.Option("--site", help="Compare on the films of this site that both have scored."),
    ] = False,
    json: Json = False,
) -> None:
    """Compare two ensembles: side by side, film by film, or on the films of this site."""
    if site and data is not None:
        raise Misconfigured("Choose one of --data and --site.")
    if site:
        _compare_at_site(first, second, json=json)
        return
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


def _compare_at_site(first: str, second: str, *, json: bool) -> None:
    """Print the comparison. Raises Misconfigured for an ensemble that the site does not know."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        compared = compare_ensembles(session, first, second, prevalence=settings.prevalence)
    if json:
        print_json(compared)
        return
    print_table(
        f"{compared.films} films of {compared.studies} studies that both have scored",
        ("", first, second),
        [(name, *pair) for name, pair in _of_both(compared.first, compared.second)],
    )
    if not compared.studies:
        notice("There is no film that both have scored: `readfirst models shadow` lets one do so.")
        return
    print_table("Flags of studies", ("", f"{second}: flagged", f"{second}: not"), _flags(compared))
    _print_readers(compared)


def _of_both(
    first: ComparedEnsemble, second: ComparedEnsemble
) -> Iterator[tuple[str, tuple[str, str]]]:
    both = (first, second)
    yield "State", (first.state.value, second.state.value)
    yield "Films scored", (str(first.films), str(second.films))
    yield "Not scored in shadow", (str(first.given_up), str(second.given_up))
    limits = [
        f"{readable_percent(100 * e.threshold)} (version {e.threshold_version})" for e in both
    ]
    yield "Threshold", (limits[0], limits[1])
    costs = [_cost(each) for each in both]
    yield "Seconds a film", (costs[0], costs[1])


def _cost(ensemble: ComparedEnsemble) -> str:
    if ensemble.seconds is None:
        return "not measured"
    return f"{ensemble.seconds:.3f}, in batches of {ensemble.batch_size:.1f} films"


def _flags(compared: EnsembleComparison) -> list[Row]:
    flags = compared.flags
    return [
        (f"{compared.first.version}: flagged", str(flags.both), str(flags.withdrawn)),
        (f"{compared.first.version}: not", str(flags.new), str(flags.neither)),
    ]


def _print_readers(compared: EnsembleComparison) -> None:
    flags, readers = compared.flags, compared.readers
    share = flags.agreement
    if share.value is not None and share.low is not None and share.high is not None:
        beyond = "" if flags.kappa is None else f"; kappa {flags.kappa:.2f}"
        low, high = readable_share(share.low), readable_share(share.high)
        notice(f"They agree on {readable_share(share.value)} ({low} to {high}) of them{beyond}.")
    if not readers.figures:
        notice("No study of these has a verdict yet that says pneumonia or none.")
        return
    print_table(
        f"Against readers: {readers.studies} studies of {readers.patients} patients, "
        f"{readers.pneumonia} with pneumonia, {readers.blind} read without the AI",
        ("Figure", compared.first.version, compared.second.version, "Difference, paired"),
        [
            (
                row.figure,
                _interval(row.first),
                _interval(row.second),
                _interval(row.difference, sign="+"),
            )
            for row in readers.figures
        ],
    )


def _interval(figure: Interval, sign: str = "") -> str:
    value, low, high = (f"{each:{sign}.3f}" for each in (figure.value, figure.low, figure.high))
    return f"{value} ({low} to {high})"
