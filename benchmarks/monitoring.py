"""Time that the figures of the monitoring take, over all films of a busy month.

    python -m benchmarks.monitoring --films 100000

Invented weeks, `benchmarks.synthetic_history`, on SQLite and on PostgreSQL; each figure is asked
of the database as page, API and command line ask it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Annotated

import typer
from sqlalchemy import text

from benchmarks.synthetic_history import Weeks, fill_weeks
from benchmarks.worklist.__main__ import databases
from cli.common.console import notice, print_table
from db.migrate import upgrade
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData
from db.session import Database, open_database
from readfirst.monitoring.config import monitoring_config
from readfirst.monitoring.period import USUAL_DAYS, Period, make_period
from readfirst.settings import Settings

BEGUN = date(2026, 1, 5)
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class FigureTiming:
    """The time of a figure, in milliseconds. processor: of this process."""

    database: str
    figure: str
    rows: int
    median: float
    processor: float


def measured(name: str, url: str, films: int) -> Iterator[FigureTiming]:
    """Fill a database, and ask for each figure of all that is in it."""
    # Weekdays are twice as busy as other days.
    weeks = Weeks(first=BEGUN, days=USUAL_DAYS, per_day=round(films / (USUAL_DAYS * 6 / 7)))
    last = BEGUN + timedelta(days=USUAL_DAYS - 1)
    period = make_period(BEGUN, last, datetime.now(UTC), weeks.zone)
    database = open_database(url)
    upgrade(database)
    notice(f"{name}: writing …")
    fill_weeks(database, weeks)
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    for figure in FIGURES:
        yield _timed(name, database, figure, period)
    database.dispose()


def _timed(name: str, database: Database, figure: str, period: Period) -> FigureTiming:
    config, walls, busy, rows = monitoring_config(Settings()), [], [], 0
    for _ in range(ROUNDS + 1):
        wall, processor = time.perf_counter(), time.process_time()
        with database.read() as session:
            rows = len(FIGURES[figure].rows(MonitoringData(session), period, config))
        walls.append(1000 * (time.perf_counter() - wall))
        busy.append(1000 * (time.process_time() - processor))
    # The first round also imports the libraries.
    return FigureTiming(name, figure, rows, median(walls[1:]), median(busy[1:]))


def main(
    films: Annotated[int, typer.Option(min=1000, help="Films of the 28 days.")] = 100_000,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
) -> None:
    """Milliseconds for each figure of 28 days."""
    with databases(postgresql) as urls:
        rows = [row for name, url in urls.items() for row in measured(name, url, films)]
    print_table(
        f"{films:,} films in {USUAL_DAYS} days: milliseconds",
        ("Database", "Figure", "Rows", "Median", "Processor"),
        [
            (
                row.database,
                row.figure,
                str(row.rows),
                f"{row.median:.0f}",
                f"{row.processor:.0f}",
            )
            for row in rows
        ],
    )


if __name__ == "__main__":
    typer.run(main)
