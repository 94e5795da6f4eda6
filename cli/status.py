"""The display of the running stack: processes, images, and where to look."""

import threading
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from cli.common.console import err, notice
from cli.common.outlook import outlook_now
from cli.supervisor import Supervisor
from db.nights.running import running_night
from db.read_models import Counts
from db.session import Database, open_database
from db.work_faults import work_faults
from db.worklist.queries import counts
from ingest.inbox.disk import intake_disk_space
from readfirst.domain import ImageState
from readfirst.files.folders import folder_fault
from readfirst.settings import Settings


class StatusDisplay:
    """At a terminal a table that stays in place; elsewhere a line whenever something changed."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._settings = supervisor.settings
        self._supervisor = supervisor
        self._database: Database = open_database(self._settings.database)
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
            err.print(Text(line), soft_wrap=True)
            self._last = line

    def _rows(self) -> list[tuple[str, str]]:
        parts = "  ".join(
            f"{process.name} {'✓' if process.is_running() else '✗'}"
            + (f" (restarted {process.starts - 1}×)" if process.starts > 1 else "")
            for process in self._supervisor.processes
        )
        return [
            ("Parts", parts),
            *self._images(),
            *self._faults(),
            *self._pause(),
            ("Inbox", str(self._settings.inbox_path)),
            ("Page", page_address(self._settings)),
            ("Logs", str(self._settings.home_path / "logs")),
        ]

    def _faults(self) -> list[tuple[str, str]]:
        """A row for each fault that keeps something from starting again. It is tried again."""
        faults = self._supervisor.faults.items()
        return [("Not running", f"{name}: {fault}; it is tried again") for name, fault in faults]

    def _pause(self) -> list[tuple[str, str]]:
        if fault := folder_fault(self._settings.inbox_path):
            return [("Intake", f"waits for the inbox: {fault}")]
        paused = not intake_disk_space(self._settings).enough
        return [("Intake", "paused: too little room on the disk")] if paused else []

    def _images(self) -> list[tuple[str, str]]:
        """A row of counts, and one for each fault that stops the work on them."""
        try:
            with self._database.read() as session:
                now, faults = counts(session), work_faults(session)
                runs = running_night(session) is not None
                night = outlook_now(session, self._settings) if runs else None
        except SQLAlchemyError:
            return [("Images", "the database does not answer yet")]
        return [
            ("Images", describe_counts(now)),
            *([("Night", night)] if night else []),
            *(("Work", fault.sentence) for fault in faults),
        ]


def watch_over(supervisor: Supervisor, stop: threading.Event) -> None:
    """Show how the stack gets on, and restart what died, until `stop` is set."""
    with StatusDisplay(supervisor) as display:
        while not stop.wait(1.0):
            supervisor.restart_dead()
            display.refresh()
    notice("Stopping: waiting for the images in work and for the database …")


def describe_counts(now: Counts) -> str:
    """A line with the counts of images and studies."""
    scored, refused = (now.images.get(each, 0) for each in (ImageState.SCORED, ImageState.REFUSED))
    waiting = sum(now.images.values()) - scored - refused
    images = f"{scored} scored, {waiting} waiting, {refused} not scored"
    return f"{images}; {now.studies} studies, {now.flagged} flagged"


def page_address(settings: Settings) -> str:
    """The address of the page, as a person would type it."""
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{settings.port}/"


def _table(rows: list[tuple[str, str]]) -> Table:
    table = Table(title="ReadFirst", title_justify="left", show_header=False)
    for name, value in rows:
        table.add_row(Text(name, "bold"), Text(value))
    return table
