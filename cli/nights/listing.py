"""`nights list` and `nights stop`."""

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import TERMINAL, opened
from cli.common.options import Json
from cli.common.outlook import outlook_now
from db.ensembles.changes import EnsembleChange, change_ensemble
from db.nights.records import NightRecord, nights
from readfirst.errors import Misconfigured
from readfirst.nights.reasons import END_WORDS
from readfirst.settings import Settings, load_settings

COLUMNS = (
    *("Night", "Ensemble", "Began", "Ended", "Scored", "Not scored", "Flagged", "Withdrawn"),
    *("Left", "An hour", "Ended because"),
)
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")]


def list_nights(
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 30,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Print the nights, the last one first, and when the active ensemble will be through."""
    if json and csv:
        raise Misconfigured("Choose one of --json and --csv.")
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = nights(session, limit)
        sentence = outlook_now(session, settings)
    if json:
        print_json(rows)
    elif csv:
        from worklist.http.responses import as_csv

        print(as_csv(NightRecord, rows).decode(), end="")
    else:
        print_table(f"Nights: {len(rows)}", COLUMNS, [_row(row, settings) for row in rows])
    if sentence:
        notice(sentence)


def stop() -> None:
    """Stop the night that runs: the films in work are scored, and the rest waits for the next."""
    now, by = datetime.now(UTC), getuser()
    with opened(load_settings()) as database, database.write() as session:
        change_ensemble(session, TERMINAL, EnsembleChange.STOP_NIGHT, now, by=by)
    notice("The night is stopped. What is left waits for the next one.")


def _row(row: NightRecord, settings: Settings) -> tuple[str, ...]:
    return (
        row.day.isoformat() if row.planned else f"{row.day.isoformat()} by hand",
        row.ensemble,
        local_time(row.started_at, settings),
        local_time(row.ended_at, settings) if row.ended_at else "runs",
        str(row.scored),
        str(row.failed),
        str(row.flagged),
        str(row.withdrawn),
        str(row.left),
        "" if row.films_an_hour is None else f"{row.films_an_hour:,.0f}",
        "" if row.end_reason is None else END_WORDS[row.end_reason],
    )
