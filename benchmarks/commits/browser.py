"""Compare what a reader waits for in a browser, of an older commit and of the working tree.

    python -m benchmarks.commits.browser e3503c0 --markdown browser.md

Each tree fills a SQLite database, by its own probe, and serves it. One browser does the same at
both in turns, so that what else runs on the machine meets both. Above 1.00 the working tree takes
longer. The times are those of the screen: of a machine that does other things, they say little.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Page

from benchmarks.browser import a_browser
from benchmarks.commits.__main__ import OWN_PROBE, Side, probe_of, tree_of
from benchmarks.ratios import Spread, ratio, spread
from benchmarks.worklist.browser_bench import DOINGS, ROOT, lay_films, new_page, serving
from cli.common.console import notice, print_table
from readfirst.settings import Settings

#: What is done, milliseconds before and now, and their ratio, paired within the rounds.
ComparedWait = tuple[str, Spread, Spread, Spread]


def filled(tree: Path, probe: Path, folder: Path, studies: int) -> str:
    """Fill a database by a tree's own code. Returns its URL."""
    urls = (f"sqlite:///{folder}-list.db", f"sqlite:///{folder}-work.db")
    side = Side(tree, probe, folder, urls, studies)
    side.measures()
    side.close()
    return urls[0]


def compared(before: Page, now: Page, rounds: int) -> Iterator[ComparedWait]:
    """Do everything at both in turns, the one first and then the other."""
    for name, do in DOINGS.items():
        times: dict[Page, list[float]] = {before: [], now: []}
        for round_ in range(rounds + 1):
            for page in (before, now) if round_ % 2 else (now, before):
                page.bring_to_front()
                times[page].append(do(page))
        # The first of each fills caches.
        old, new = (values[1:] for values in times.values())
        yield name, spread(old), spread(new), ratio(new, old)


def markdown(
    rows: Sequence[ComparedWait], commit: str, studies: int, rounds: int, load: float
) -> str:
    """The section of RESULTS.md."""
    lines = [
        f"Commit {commit} and this one in turns, {rounds} rounds; {studies:,} studies, SQLite, "
        "Chromium. Milliseconds as medians and quartiles, ratios paired within the rounds. Load "
        f"average before the run: {load:.2f}.",
        "",
        "| in the browser | before, ms | now, ms | now / before |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(_texts(*row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _texts(name: str, before: Spread, now: Spread, by: Spread) -> tuple[str, ...]:
    return name, before.text("{:.0f}"), now.text("{:.0f}"), by.text("{:.2f}")


def main(
    commit: Annotated[str, typer.Argument(help="The older commit.")],
    studies: Annotated[int, typer.Option(min=10_000, help="Studies of the list.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds, both sides each.")] = 15,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds in a browser of an older commit and of the working tree, and their ratio."""
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        old = stack.enter_context(tree_of(commit))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(a_browser())
        if browser is None:
            raise typer.BadParameter("There is no Chromium here.")
        pages = []
        for name, tree, probe in (
            ("before", old, probe_of(old, commit)),
            ("now", ROOT, OWN_PROBE),
        ):
            notice(f"{name}: writing {studies:,} studies …")
            url = filled(tree, probe, folder / name, studies)
            settings = Settings(home=folder / f"{name}-home")
            lay_films(settings, studies)
            pages.append(new_page(browser, stack.enter_context(serving(settings, url, tree))))
        rows = list(compared(pages[0], pages[1], rounds))
    columns = ("In the browser", "Before, ms", "Now, ms", "Now / before")
    print_table("Waits", columns, [_texts(*row) for row in rows])
    if markdown_file:
        markdown_file.write_text(markdown(rows, commit, studies, rounds, load))


if __name__ == "__main__":
    typer.run(main)
