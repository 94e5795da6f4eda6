"""`python -m benchmarks.throughput`."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from benchmarks.throughput import variants
from benchmarks.throughput.report import Report, make_report
from benchmarks.throughput.tables import facts, markdown, tables
from benchmarks.throughput.timing import PRECISIONS, ROUNDS, STUDIES, Task, Variant, interleaved
from cli.common.console import err, notice, print_table
from models.ensemble import load_ensemble
from models.manifest import available_ensembles, load_manifest, shipped_version
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.settings import load_settings


def find_ensemble(ensemble: str | None) -> Path:
    """The folder of a version; a folder stands for itself. Raises Misconfigured."""
    if ensemble is not None and Path(ensemble).is_dir():
        return Path(ensemble)
    version = ensemble or shipped_version()
    ensembles = available_ensembles(load_settings().ensembles_path)
    if version not in ensembles:
        raise Misconfigured(f"There is no ensemble {version}; see `readfirst models list`.")
    return ensembles[version]


def run(folder: Path, seconds: float, against: Path | None = None) -> Report:
    """Measure the ensemble in a folder. against: the folder of one to compare it with."""
    import keras

    if keras.config.backend() != "tensorflow":
        raise Misconfigured("The benchmark measures TensorFlow: set KERAS_BACKEND=tensorflow.")
    load_average = os.getloadavg()[0]
    if load_average > 0.5:
        notice(f"[yellow]The machine is busy (load average {load_average:.2f}).[/yellow]")
    with err.status(f"Loading ensemble {load_manifest(folder).version} in fresh processes …"):
        load = variants.load_seconds(folder)
    tasks: dict[Variant, Task] = {Variant("matrix product"): variants.matrix_product()}
    for precision in PRECISIONS:
        with err.status(f"Compiling in {precision} …"):
            ensemble = load_ensemble(folder, precision)
            films = variants.chest_films(ensemble)
            tasks |= variants.tasks_of(ensemble, precision, films)
            if against:
                other = load_ensemble(against, precision)
                tasks |= variants.other_ensemble(other, precision, films)
    tasks[STUDIES] = variants.studies_way(
        load_ensemble(against or folder, STUDIES.precision, as_trained=True), films[:1]
    )
    columns = ("Measuring", BarColumn(), "{task.percentage:.0f} %", TimeRemainingColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("", total=ROUNDS * len(tasks))
        times = interleaved(tasks, seconds, lambda: progress.advance(bar))
    version = load_manifest(against).version if against else None
    return make_report(ensemble, times, load, seconds, load_average, version)


def main(
    ensemble: Annotated[
        str | None, typer.Option(help="Version, or folder. Default: the newest shipped.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Version, or folder, of an ensemble to compare with; the studies' way takes its "
            "networks."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="For each measurement, in all.")] = 5.0,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the tables to this file.")
    ] = None,
) -> None:
    """Films per second of an ensemble, against the studies' way and its bare networks."""
    try:
        report = run(find_ensemble(ensemble), seconds, find_ensemble(against) if against else None)
    except ReadFirstError as error:
        notice(f"[red]{error}[/red]")
        raise typer.Exit(2 if isinstance(error, Misconfigured) else 1) from error
    for title, (columns, rows) in tables(report).items():
        print_table(title, columns, rows)
    for fact in facts(report):
        print(fact)
    if json:
        json.write_bytes(to_json(report, indent=2) + b"\n")
    if markdown_file:
        markdown_file.write_text(markdown(report))


if __name__ == "__main__":
    # TensorFlow's notices at its start, and of functions compiled anew, are not for readers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel("ERROR")
    typer.run(main)
