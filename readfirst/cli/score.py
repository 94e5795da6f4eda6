"""`score`: files scored now, without queue or database."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track
from rich.text import Text

from readfirst.cli.console import err, notice, print_json, print_table
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from worker.score import FileScore


def score(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.", exists=True)],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
    ensemble: Annotated[
        str | None, typer.Option(help="Ensemble version. Default: the newest shipped one.")
    ] = None,
) -> None:
    """Score files or folders now, in the order given. A refusal is a result, not a failure."""
    from ingest.sandbox import Reader
    from ingest.scope_rules import load_rules
    from models.manifest import shipped_version
    from worker.judgement import Judgement
    from worker.score import Scope, files_in, score_files

    if json and as_csv:
        raise Misconfigured("Choose one of --json and --csv.")
    settings = load_settings()
    rules = load_rules(settings.scope)
    files = files_in(paths)
    with err.status("Loading the networks …"):
        judgement = Judgement(settings.ensembles_path, settings.precision)
        version = ensemble or shipped_version()
        networks = judgement.networks(version)
    scope = Scope(rules, judgement.ages_of(version))
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        scores = score_files(
            files,
            reader,
            networks,
            settings.batch_size,
            prevalence=settings.prevalence,
            scope=scope,
        )
        results = list(track(scores, "Scoring", total=len(files), console=err, transient=True))
    if json:
        print_json(results)
    elif as_csv:
        _print_csv(results)
    else:
        _print_people(results)
    refused = sum(result.status == "refused" for result in results)
    notice(f"{len(results) - refused} scored, {refused} refused.")


def _print_csv(results: list[FileScore]) -> None:
    members = sorted({name for result in results for name in result.members})
    fixed = (
        *("path", "status", "code", "reason", "probability", "spread"),
        *("flagged", "threshold", "ensemble"),
    )
    writer = csv.writer(sys.stdout)
    writer.writerow([*fixed, "marks", *members])
    for result in results:
        values = [getattr(result, name) for name in fixed]
        marks = " ".join(mark.code.value for mark in result.marks)
        writer.writerow([*values, marks, *(result.members.get(name) for name in members)])


def _print_people(results: list[FileScore]) -> None:
    print_table(
        "Scores",
        ("File", "Probability", "Flag", "Why not, or why not validated"),
        [
            (
                result.path,
                "–" if result.probability is None else f"{result.probability:.3f}",
                Text("⚑" if result.flagged else "", "bold red"),
                _why(result),
            )
            for result in results
        ],
    )


def _why(result: FileScore) -> str:
    if result.code:
        return f"{result.code}: {result.reason}"
    return " ".join(f"{mark.code}: {mark.reason}" for mark in result.marks)
