"""Output of the command line: rows to stdout, notices to stderr."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from readfirst.calendar import EARLIEST_DAY, LATEST_DAY, parse_moment
from readfirst.errors import Misconfigured
from readfirst.printable import printable, printable_json
from readfirst.settings import Settings

#: Columns of what is piped or captured, where no terminal says how wide it is.
PIPED_WIDTH = 200

#: `30m`, `2h` or `3d`.
SPAN_FORM = re.compile(r"[0-9]+[mhd]")
#: Most rows that one command prints. More are asked for page by page, by the API.
MOST_ROWS = 1_000_000


class PrintableConsole(Console):
    """A console on which no text does more than to be shown, wherever it comes from."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render, with what is unprintable written out."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


err = PrintableConsole(stderr=True, highlight=False)


def out() -> Console:
    """Standard output, as wide as its terminal."""
    return PrintableConsole(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def notice(text: str, style: str = "") -> None:
    """Tell the person something that is no result. The text is shown as it is."""
    err.print(Text(text, style), soft_wrap=True)


def print_json(rows: Any) -> None:
    """Results for a program: frozen dataclasses or models, or lists of them, as JSON on stdout."""
    try:
        text = to_json(rows, indent=2).decode()
    except PydanticSerializationError:
        # The path of a folder of this site is no UTF-8.
        text = json.dumps(to_jsonable_python(rows), indent=2, ensure_ascii=False)
    print(printable_json(text))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Results for a person, one line each, wide columns folded.

    A string is shown as it is: names of files and people may look like markup.
    """
    table = Table(title=Text(printable(title), "table.title"), title_justify="left")
    table.header_style, table.box = "bold", SIMPLE_HEAD
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Written out before the columns are measured.
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    out().print(table)


def parse_since(text: str, now: datetime) -> datetime:
    """A point in time from `2h`, `3d`, `30m`, or an ISO date or time in the zone of `now`.

    Raises ValueError for anything else, and for a time before 1900 or after 2200.
    """
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if SPAN_FORM.fullmatch(text):
        try:
            moment = now - timedelta(**{units[text[-1]]: int(text[:-1])})
        except OverflowError as error:
            raise ValueError("No calendar goes back so far.") from error
    else:
        moment = parse_moment(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    if not EARLIEST_DAY <= moment.date() <= LATEST_DAY:
        raise ValueError("A time lies between 1900 and 2200.")
    return moment


def moment(since: str | None, settings: Settings, option: str = "--since") -> datetime | None:
    """Return the time of `--since` at this site; None means ever. Raises Misconfigured."""
    if since is None:
        return None
    try:
        return parse_since(since, datetime.now(settings.zone))
    except ValueError as error:
        raise Misconfigured(
            f"{option} {since!r} is not understood. Write `30m`, `2h` or `3d` (ago), a date as "
            "2026-01-31, or a time as 2026-01-31T08:30, between 1900 and 2200."
        ) from error


def local_time(at: datetime, settings: Settings) -> str:
    """A point in time as the site's clocks show it."""
    return at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S")
