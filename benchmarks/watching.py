"""How long the figures that watch the AI take, over all films of a busy month.

    python -m benchmarks.watching --films 100000

Invented weeks, `benchmarks.weeks`, on SQLite and on PostgreSQL; each figure is asked of the
database as page, API and command line ask it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Annotated

import typer
from sqlalchemy import text

from benchmarks.weeks import Weeks, fill_weeks
from benchmarks.worklist.__main__ import databases
from db.migrate import upgrade
from db.session import Database, open_database
from db.watching.figures import FIGURES
from readfirst.cli.console import notice, print_table
from readfirst.settings import Settings
from readfirst.watching.period import USUAL_DAYS, Period, make_period
from readfirst.watching.terms import watch_terms

BEGUN = date(2026, 1, 5)
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """What one figure took, in milliseconds. processor: of this process."""

    database: str
    figure: str
    rows: int
    median: float
    processor: float


def measured(name: str, url: str, films: int) -> Iterator[Row]:
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


def _timed(name: str, database: Database, figure: str, period: Period) -> Row:
    terms, walls, busy, rows = watch_terms(Settings()), [], [], 0
    for _ in range(ROUNDS + 1):
        wall, processor = time.perf_counter(), time.process_time()
        with database.read() as session:
            rows = len(FIGURES[figure].rows(session, period, terms))
        walls.append(1000 * (time.perf_counter() - wall))
        busy.append(1000 * (time.process_time() - processor))
    # The first round also imports the libraries.
    return Row(name, figure, rows, median(walls[1:]), median(busy[1:]))


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
