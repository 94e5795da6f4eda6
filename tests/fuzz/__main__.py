"""`python -m tests.fuzz --files 10000 --seed 1`: break files, read them, and report the ends."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cli.common.console import err, notice, print_table
from tests.fuzz.fuzzing import FuzzReport, fuzz
from tests.fuzz.results import SHOWN, UNPACKED
from tests.fuzz.seeds import seeds


def main(
    files: Annotated[int, typer.Option(min=1, help="How many broken files.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    kind: Annotated[str, typer.Option(help="Only files of a kind whose name holds this.")] = "",
    keep: Annotated[
        Path | None, typer.Option(help="Folder for files with which something went wrong.")
    ] = None,
) -> None:
    """Every file must end as shown, and so go on to be scored, or refused by a code."""
    chosen = tuple(seed for seed in seeds() if kind.lower() in seed.kind.lower())
    if not chosen:
        notice(f"[red]No file is of a kind with {kind}.[/red]")
        raise typer.Exit(2)
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    ) as progress:
        task = progress.add_task("Breaking and reading", total=files)
        report = fuzz(
            chosen, files=files, seed=seed, keep=keep, tick=lambda: progress.advance(task)
        )
    show(report)
    raise typer.Exit(1 if report.failures else 0)


def show(report: FuzzReport) -> None:
    """The ends by code, then by kind of file, then what must not be."""
    total = report.ends.total()
    print_table(
        f"{total} broken files",
        ("End", "Files", "Share"),
        [(what, str(n), f"{n / total:.1%}") for what, n in report.ends.most_common()],
    )
    print_table(
        "By kind",
        ("Kind", "Files", "Taken", "Most frequent refusals"),
        [
            (
                name,
                str(ends.total()),
                str(ends[SHOWN] + ends[UNPACKED]),
                ", ".join(
                    f"{n} {what}"
                    for what, n in ends.most_common(5)
                    if what not in (SHOWN, UNPACKED)
                ),
            )
            for name, ends in sorted(report.by_kind.items())
        ],
    )
    above = report.most_megabytes - report.base_megabytes
    notice(f"Slowest {report.slowest:.1f} s; most memory {above:.0f} MiB above the reader's base.")
    for number, what in report.failures:
        notice(f"[red]File {number}: {what}[/red]")
    notice(f"{len(report.failures)} ended otherwise.")


if __name__ == "__main__":
    typer.run(main)
