"""Time that `/metrics` and the lead's page take, once the days that are over are kept.

    python -m benchmarks.kept_days --studies 1000000 --markdown kept_days.md

Invented studies, 1,440 a day, on SQLite and on PostgreSQL; the hourly task has kept the days that
are over, and it is noon of the last one. Each request passes the whole application.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from fastapi.testclient import TestClient
from pydantic import SecretStr

from benchmarks.worklist.__main__ import databases
from benchmarks.worklist.seed_data import arrival, fill
from cli.common.console import notice, print_table
from db.migrate import upgrade
from db.monitoring.kept_days import keep_days
from db.session import Database, open_database
from readfirst.settings import Settings
from worklist.app import make_app
from worklist.services.dependencies import now

#: The targets, in milliseconds.
MOST_METRICS, MOST_FIGURES = 50.0, 300.0
ROUNDS = 9
ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class KeptDaysTiming:
    """The times of a request, in milliseconds. processor: of the server's process."""

    database: str
    request: str
    median: float
    processor: float
    most: float

    def cells(self) -> tuple[str, ...]:
        """The texts of a row."""
        met = "met" if self.median <= self.most else "missed"
        times = f"{self.median:.0f}", f"{self.processor:.0f}"
        return self.database, self.request, *times, f"{self.most:.0f}", met


def measured(name: str, url: str, studies: int) -> Iterator[KeptDaysTiming]:
    """Fill a database, keep its days, and ask."""
    database = open_database(url)
    upgrade(database)
    notice(f"{name}: writing {studies:,} studies …")
    fill(database, 1, studies)
    at = arrival(studies)
    notice(f"{name}: keeping {(at - arrival(1)).days} days …")
    _keep(database, at)
    with tempfile.TemporaryDirectory() as home:
        app = make_app(Settings(home=Path(home), database_url=SecretStr(url)))
        app.dependency_overrides[now] = lambda: at
        with TestClient(app, base_url="http://127.0.0.1") as client:
            for request, path, most in requests(at):
                walls, busy = _timed(lambda path=path: client.get(path).raise_for_status())  # type: ignore[misc]
                yield KeptDaysTiming(name, request, walls, busy, most)
    database.dispose()


def requests(at: datetime) -> list[tuple[str, str, float]]:
    """Name, address and target of each request."""
    paths = [("`/metrics`", "/metrics", MOST_METRICS)]
    for text, days in (("28 days", 28), ("a year", 365)):
        first = (at - timedelta(days=days - 1)).date()
        path = f"/watching?from={first}&to={at.date()}"
        paths.append((f"the lead's page, {text}", path, MOST_FIGURES))
    return paths


def _keep(database: Database, at: datetime) -> None:
    while keep_days(database, ZONE, at, most=30):
        pass


def _timed(ask: Callable[[], Any]) -> tuple[float, float]:
    walls, busy = [], []
    for _ in range(ROUNDS + 1):
        begun, worked = time.perf_counter(), time.process_time()
        ask()
        walls.append(1e3 * (time.perf_counter() - begun))
        busy.append(1e3 * (time.process_time() - worked))
    # The first fills caches.
    return median(walls[1:]), median(busy[1:])


def markdown(rows: list[KeptDaysTiming], studies: int, load_average: float) -> str:
    """The section of RESULTS.md."""
    lines = [
        f"{studies:,} studies, 1,440 a day; median of {ROUNDS}. Load average before the run: "
        f"{load_average:.2f}.",
        "",
        "| database | request | ms | of them, of the server's processor | target | |",
        "| --- | --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main(
    studies: Annotated[int, typer.Option(min=10_000)] = 1_000_000,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds of what is counted from kept days."""
    load_average = os.getloadavg()[0]
    rows = []
    with databases(postgresql) as urls:
        for name, url in urls.items():
            for row in measured(name, url, studies):
                # Filling takes long: what is known is said at once.
                notice(" | ".join(row.cells()))
                rows.append(row)
    columns = ("Database", "Request", "Median, ms", "Processor", "Target", "")
    print_table("Kept days", columns, [row.cells() for row in rows])
    if markdown_file:
        markdown_file.write_text(markdown(rows, studies, load_average))


if __name__ == "__main__":
    typer.run(main)
