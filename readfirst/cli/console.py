"""Where the command line writes: rows to stdout, notices to stderr."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from readfirst.errors import Misconfigured
from readfirst.settings import Settings

#: Columns of what is piped or captured, where no terminal says how wide it is.
PIPED_WIDTH = 200

err = Console(stderr=True, highlight=False)


def out() -> Console:
    """Standard output, as wide as its terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def notice(text: str) -> None:
    """Tell the person something that is no result."""
    err.print(text)


def print_json(rows: Any) -> None:
    """Results for a program: frozen dataclasses or models, or lists of them, as JSON on stdout."""
    print(to_json(rows, indent=2).decode())


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Results for a person, one line each, wide columns folded.

    A string is shown as it is: names of files and people may look like markup.
    """
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    out().print(table)


def parse_since(text: str, now: datetime) -> datetime:
    """A point in time from `2h`, `3d`, `30m`, or an ISO date or time in the zone of `now`.

    Raises ValueError for anything else.
    """
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1:] in units:
        return now - timedelta(**{units[text[-1]]: int(text[:-1])})
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def moment(since: str | None, settings: Settings) -> datetime | None:
    """What `--since` means at this site; None means ever. Raises Misconfigured."""
    if since is None:
        return None
    try:
        return parse_since(since, datetime.now(settings.zone))
    except ValueError as error:
        raise Misconfigured(f"--since {since!r} is neither `2h`, `3d` nor a date.") from error


def local_time(at: datetime, settings: Settings) -> str:
    """A point in time as the site's clocks show it."""
    return at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S")
