"""One display of the running stack: parts, images, and where to look."""

import threading
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from db.session import Database, open_database
from db.views import Counts
from db.worklist import counts
from ingest.disk import intake_room
from readfirst.cli.console import err, notice
from readfirst.settings import Settings
from readfirst.supervisor import Supervisor


class StatusDisplay:
    """At a terminal a table that stays in place; elsewhere a line whenever something changed."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._database: Database = open_database(settings.database)
        self._live = Live(console=err, auto_refresh=False) if err.is_terminal else None
        self._last = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()
        self._database.dispose()

    def refresh(self) -> None:
        """Show how things stand now."""
        rows = self._rows()
        if self._live:
            self._live.update(_table(rows), refresh=True)
            return
        line = "  ".join(f"{name}: {value}" for name, value in rows)
        if line != self._last:
            err.print(line, soft_wrap=True)
            self._last = line

    def _rows(self) -> list[tuple[str, str]]:
        parts = "  ".join(
            f"{part.name} {'✓' if part.is_running() else '✗'}"
            + (f" (restarted {part.starts - 1}×)" if part.starts > 1 else "")
            for part in self._supervisor.parts
        )
        return [
            ("Parts", parts),
            ("Images", self._images()),
            *self._pause(),
            ("Inbox", str(self._settings.inbox_path)),
            ("Page", page_address(self._settings)),
            ("Logs", str(self._settings.home_path / "logs")),
        ]

    def _pause(self) -> list[tuple[str, str]]:
        paused = not intake_room(self._settings).enough
        return [("Intake", "paused: too little room on the disk")] if paused else []

    def _images(self) -> str:
        try:
            with self._database.read() as session:
                return describe_counts(counts(session))
        except SQLAlchemyError:
            return "the database does not answer yet"


def watch_over(supervisor: Supervisor, settings: Settings, stop: threading.Event) -> None:
    """Show how the stack gets on, and mend it, until `stop` is set."""
    with StatusDisplay(settings, supervisor) as display:
        while not stop.wait(1.0):
            supervisor.mend()
            display.refresh()
    notice("Stopping …")


def describe_counts(now: Counts) -> str:
    """One line of how many images are in each state."""
    states = ", ".join(f"{count} {state}" for state, count in now.images.items())
    return f"{states}; {now.studies} studies, {now.flagged} flagged"


def page_address(settings: Settings) -> str:
    """Where the page is, as a person would type it."""
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{settings.host}:{settings.port}/"


def _table(rows: list[tuple[str, str]]) -> Table:
    table = Table(title="ReadFirst", title_justify="left", show_header=False)
    for name, value in rows:
        table.add_row(f"[bold]{name}[/bold]", value)
    return table
