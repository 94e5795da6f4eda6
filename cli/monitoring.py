"""`watching`: the monitoring of the AI, as the page of the same name shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.common.console import out, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData
from readfirst.calendar import parse_day
from readfirst.errors import Misconfigured
from readfirst.monitoring.config import monitoring_config
from readfirst.monitoring.period import Period, make_period
from readfirst.settings import Settings, load_settings

Named = Annotated[
    str | None,
    typer.Argument(metavar="[FIGURE]", help=f"One of {', '.join(FIGURES)}. Default: all of them."),
]


def print_figures(
    figure: Named = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day, as 2026-01-31. Default: 28 days ago.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day. Default: today.")] = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV; wants a FIGURE.")] = False,
) -> None:
    """Print how the AI does: volumes, refusals, times, verdicts, drift, alerts."""
    settings = load_settings()
    if figure is not None and figure not in FIGURES:
        raise Misconfigured(f"{figure!r} is none of {', '.join(FIGURES)}.")
    if csv and figure is None:
        raise Misconfigured(f"--csv wants one of {', '.join(FIGURES)}.")
    period = _period(first, last, settings)
    tables = _rows([figure] if figure else list(FIGURES), period, settings)
    if csv and figure:
        _print_csv(figure, tables[figure])
    elif json:
        print_json(tables[figure] if figure else tables)
    else:
        for name, rows in tables.items():
            _print(name, rows, settings.zone)


def _period(first: str | None, last: str | None, settings: Settings) -> Period:
    try:
        return make_period(
            parse_day(first) if first else None,
            parse_day(last) if last else None,
            datetime.now(UTC),
            settings.zone,
        )
    except ValueError as error:
        raise Misconfigured(f"--from, --to: {error}") from error


def _rows(names: Sequence[str], period: Period, settings: Settings) -> dict[str, Sequence[Any]]:
    with opened(settings) as database, database.read() as session:
        config = monitoring_config(settings)
        data = MonitoringData(session)
        return {name: FIGURES[name].rows(data, period, config) for name in names}


def _print_csv(name: str, rows: Sequence[Any]) -> None:
    from worklist.http.responses import as_csv

    print(as_csv(FIGURES[name].kind, rows).decode(), end="")


def _print(name: str, rows: Sequence[Any], zone: ZoneInfo) -> None:
    columns = [field.name for field in fields(FIGURES[name].kind)]
    print_table(
        f"{name.capitalize()}: {FIGURES[name].description}",
        [column.replace("_", " ") for column in columns],
        [[_cell(value, zone) for value in astuple(row)] for row in rows],
    )
    if not rows:
        out().print("None.")


def _cell(value: object, zone: ZoneInfo) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
