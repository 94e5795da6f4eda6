"""`score`: files scored now, without queue or database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.common.console import err, notice, print_json, print_table
from cli.common.progress import tracked
from readfirst.errors import Misconfigured
from readfirst.formatting import readable_probability
from readfirst.settings import Settings, load_settings
from readfirst.studies.prevalence import at_prevalence

if TYPE_CHECKING:
    from worker.scoring.ensemble_registry import EnsembleRegistry
    from worker.scoring.offline_scoring import FileScore
    from worker.scoring.score_file import ScoreFile


def score(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.", exists=True)],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write each result into this file as it comes: JSON Lines (.jsonl) or CSV (.csv). "
            "The same command goes on where it was cut off.",
        ),
    ] = None,
    ensemble: Annotated[
        str | None, typer.Option(help="Ensemble version. Default: the newest shipped one.")
    ] = None,
) -> None:
    """Score files or folders now, in the order given. A refusal is a result, not a failure."""
    from models.manifest import shipped_version
    from worker.scoring.ensemble_registry import EnsembleRegistry
    from worker.scoring.offline_scoring import files_in

    if sum((json, as_csv, output is not None)) > 1:
        raise Misconfigured("Choose one of --json, --csv and --output.")
    settings = load_settings()
    ensembles = EnsembleRegistry(settings.ensembles_path, settings.precision)
    version = ensemble or shipped_version()
    files = files_in(paths)
    if output is not None:
        counts = _write(files, output, version, ensembles, settings)
    elif as_csv:
        counts = _print_csv(_scores(files, version, ensembles, settings), version, ensembles)
    else:
        results = list(_scores(files, version, ensembles, settings))
        counts = Counter(result.status for result in results)
        (print_json if json else _print_people)(results)
    unreadable = counts["unreadable"]
    notice(
        f"{counts['scored']} scored, {counts['refused']} refused"
        + (f", {unreadable} could not be read." if unreadable else ".")
    )
    if unreadable:
        raise typer.Exit(1)


def _scores(
    files: Sequence[Path], version: str, ensembles: EnsembleRegistry, settings: Settings
) -> Iterator[FileScore]:
    """The results of files, one by one as they come."""
    from ingest.reader.reader_process import Reader
    from ingest.scope.scope_rules import load_rules
    from worker.scoring.offline_scoring import Scope, score_files

    scope = Scope(
        load_rules(settings.scope), ensembles.ages_of(version), ensembles.populations_of(version)
    )
    with err.status("Loading the networks …"):
        networks = ensembles.networks(version)
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        scores = score_files(
            files,
            reader,
            networks,
            settings.batch_size,
            prevalence=settings.prevalence,
            scope=scope,
        )
        yield from tracked(scores, "Scoring", len(files))


def _write(
    files: Sequence[Path],
    output: Path,
    version: str,
    ensembles: EnsembleRegistry,
    settings: Settings,
) -> Counter[str]:
    """Write the results that a file lacks; what cannot be read now is left for the next run."""
    counts: Counter[str] = Counter()
    with _opened(output, version, ensembles, settings) as target:
        left = target.left(files)
        if target.results:
            notice(f"{output} holds {target.results} results; {len(left)} files are left.")
        try:
            for result in _scores(left, version, ensembles, settings) if left else ():
                if result.status == "unreadable":
                    notice(f"{result.path}: {result.reason}", "yellow")
                else:
                    target.add(result)
                counts[result.status] += 1
        except KeyboardInterrupt:
            notice(f"{counts.total()} results are in {output}; the same command goes on.")
            raise
    return counts


def _opened(
    output: Path, version: str, ensembles: EnsembleRegistry, settings: Settings
) -> ScoreFile:
    from worker.scoring.score_file import ScoreFile, rows_of

    manifest = ensembles.manifest_of(version)
    rows = rows_of(output, manifest)

    def at_site(value: float) -> float:
        return at_prevalence(value, manifest.prevalence, settings.prevalence)

    thresholds = ensembles.populations_of(version).thresholds
    others = {name: at_site(value) for name, value in thresholds.items()}
    return ScoreFile(output, rows, version, at_site(manifest.threshold), others)


def _print_csv(
    scores: Iterator[FileScore], version: str, ensembles: EnsembleRegistry
) -> Counter[str]:
    """Print the results as they come."""
    from worker.scoring.score_rows import csv_rows

    rows = csv_rows(ensembles.manifest_of(version))
    counts: Counter[str] = Counter()
    print(rows.heading.decode(), end="", flush=True)
    for result in scores:
        print(rows.line(result).decode(), end="", flush=True)
        counts[result.status] += 1
    return counts


def _print_people(results: Sequence[FileScore]) -> None:
    print_table(
        "Scores",
        ("File", "Probability", "Flag", "Why not, or why not validated"),
        [
            (
                result.path,
                "–" if result.probability is None else readable_probability(result.probability),
                Text("⚑" if result.flagged else "", "bold red"),
                _reason(result),
            )
            for result in results
        ],
    )


def _reason(result: FileScore) -> str:
    if result.reason:
        return f"{result.code}: {result.reason}" if result.code else result.reason
    return " ".join(f"{mark.code}: {mark.reason}" for mark in result.marks)
