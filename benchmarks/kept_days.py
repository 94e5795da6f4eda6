"""Time that `/metrics` and the lead's page take, once the days that are over are kept.

    python -m benchmarks.kept_days --studies 1000000 --markdown kept_days.md

Invented studies, 1,440 a day, on SQLite and on PostgreSQL; the hourly task has kept the days that
are over, and it is noon of the last one. Each request passes the whole application.

    python -m benchmarks.kept_days --filled sqlite:///once.db --filled postgresql+psycopg://…

asks databases that were filled before with as many studies: filling takes much longer than asking.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from benchmarks.worklist.__main__ import databases
from benchmarks.worklist.seed_data import arrival, fill
from cli.common.console import notice, print_table
from db.migrate import upgrade
from db.monitoring.figures import FIGURES
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
    """The times of a request, in milliseconds.

    processor: of the process that answers; server: of PostgreSQL, if it is on this machine.
    """

    database: str
    request: str
    median: float
    processor: float
    server: float
    most: float

    def cells(self) -> tuple[str, ...]:
        """The texts of a row. Met: by its processor time, which other work does not lengthen."""
        met = "met" if self.processor + self.server <= self.most else "missed"
        times = (f"{value:.0f}" for value in (self.median, self.processor, self.server, self.most))
        return self.database, self.request, *times, met


def measured(name: str, url: str, studies: int, *, filled: bool) -> Iterator[KeptDaysTiming]:
    """Fill a database, keep its days, and ask. filled: it has the studies already."""
    database = open_database(url)
    upgrade(database)
    if not filled:
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
                times = _timed(database, lambda path=path: client.get(path).raise_for_status())  # type: ignore[misc]
                yield KeptDaysTiming(name, request, *times, most)
    database.dispose()


def requests(at: datetime) -> list[tuple[str, str, float]]:
    """Name, address and target of each request."""
    month, year = (_days(at, number) for number in (28, 365))
    pages = {
        "the lead's page, 28 days": f"/watching?{month}",
        "the lead's page, a year": f"/watching?{year}",
    }
    for tab in ("readers", "drift", "alerts"):
        pages[f"the same: {tab}"] = f"/watching?{year}&tab={tab}"
    for name in FIGURES:
        pages[f"the same as JSON: {name}"] = f"/api/v1/watching/{name}?{year}"
    return [
        ("`/metrics`", "/metrics", MOST_METRICS),
        *((name, path, MOST_FIGURES) for name, path in pages.items()),
    ]


def _days(at: datetime, number: int) -> str:
    """The query for so many days, the last of them that of a moment."""
    return f"from={(at - timedelta(days=number - 1)).date()}&to={at.date()}"


def _keep(database: Database, at: datetime) -> None:
    while keep_days(database, ZONE, at, most=30):
        pass


def _timed(database: Database, ask: Callable[[], Any]) -> tuple[float, float, float]:
    """Medians of the time and of this process's processor time; the mean of PostgreSQL's."""
    # The first fills caches.
    ask()
    walls, busy, server = [], [], _server_milliseconds(database)
    for _ in range(ROUNDS):
        begun, worked = time.perf_counter(), time.process_time()
        ask()
        walls.append(1e3 * (time.perf_counter() - begun))
        busy.append(1e3 * (time.process_time() - worked))
    return median(walls), median(busy), (_server_milliseconds(database) - server) / ROUNDS


def _server_milliseconds(database: Database) -> float:
    """Processor time so far of the processes of PostgreSQL; 0 for SQLite or another machine."""
    if database.engine.dialect.name != "postgresql":
        return 0.0
    with database.read() as session:
        backend = _stat(session.scalar(text("SELECT pg_backend_pid()")) or 0)
    if not backend:
        return 0.0
    # The children of the backend's parent.
    parent = backend[1]
    stats = [_stat(int(each.name)) for each in Path("/proc").iterdir() if each.name.isdigit()]
    ticks = sum(int(stat[11]) + int(stat[12]) for stat in stats if stat and stat[1] == parent)
    return 1e3 * ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none of a process that has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def markdown(rows: list[KeptDaysTiming], studies: int, load_average: float) -> str:
    """The section of RESULTS.md."""
    lines = [
        f"{studies:,} studies, 1,440 a day; median of {ROUNDS}. Load average before the run: "
        f"{load_average:.2f}.",
        "",
        "| database | request | ms by the clock | processor | of PostgreSQL | target | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main(
    studies: Annotated[int, typer.Option(min=10_000)] = 1_000_000,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
    filled: Annotated[
        list[str] | None, typer.Option(help="URL of a database that has the studies already.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds of what is counted from kept days."""
    load_average = os.getloadavg()[0]
    rows = []
    with ExitStack() as stack:
        urls = (
            [(make_url(url).get_backend_name(), url) for url in filled]
            if filled
            else list(stack.enter_context(databases(postgresql)).items())
        )
        for name, url in urls:
            for row in measured(name, url, studies, filled=bool(filled)):
                # Filling takes long: what is known is said at once.
                notice(" | ".join(row.cells()))
                rows.append(row)
    columns = ("Database", "Request", "Median, ms", "Processor", "PostgreSQL", "Target", "")
    print_table("Kept days", columns, [row.cells() for row in rows])
    if markdown_file:
        markdown_file.write_text(markdown(rows, studies, load_average))


if __name__ == "__main__":
    typer.run(main)
