"""`demo`: the whole way of an image, on the sample studies that come with ReadFirst."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from cli.common.console import err, notice
from cli.common.worklist_table import print_worklist
from cli.parts import (
    check_access,
    notice_open_home,
    notice_unknown_settings,
    notice_unused_patterns,
    stop_on_signal,
)
from cli.status import page_address, watch_over
from cli.supervisor import Supervisor, running
from db.session import Database, open_database
from db.worklist.queries import arrival_states, reading_order
from ingest.scope.scope_rules import load_rules
from readfirst import DISCLAIMER
from readfirst.domain import ImageState
from readfirst.errors import Misconfigured, Unavailable
from readfirst.files.folders import make_inbox
from readfirst.samples import sample_files
from readfirst.samples.demo_films import COPIES, demo_films
from readfirst.settings import A_DAY, Settings, load_settings

#: A file has come so far when its image is in one of these states.
REACHED = {
    "received": set(ImageState),
    "ready": {ImageState.READY, ImageState.SCORED, ImageState.REFUSED},
    "scored": {ImageState.SCORED, ImageState.REFUSED},
}


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End when all samples are scored, for scripts.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(min=1, max=A_DAY, help="Seconds after which an unfinished demo has failed."),
    ] = 300.0,
) -> None:
    """Start everything, drop the sample studies into the inbox, and print the worklist."""
    settings = load_settings()
    notice_unknown_settings()
    notice_unused_patterns(load_rules(settings.scope))
    check_access(settings)
    notice_open_home(settings)
    if fault := make_inbox(settings.home_path, settings.inbox_path):
        raise Misconfigured(f"READFIRST_INBOX: {fault}")
    notice(DISCLAIMER, "dim")
    notice(f"Starting ReadFirst in {settings.home_path} …")
    with stop_on_signal() as stop, running(settings, may_move=True) as supervisor:
        folder = drop_samples(settings.inbox_path)
        wait_until_scored(settings, supervisor, folder, stop, timeout)
        if stop.is_set():
            return
        database = open_database(settings.database)
        with database.read() as session:
            display = settings.display(datetime.now(UTC))
            print_worklist(reading_order(session, limit=50, display=display))
        database.dispose()
        if once:
            return
        notice(f"\nThe worklist is at {page_address(supervisor.settings)}", "bold")
        notice(f"Drop DICOM files or pictures into {settings.inbox_path}. Ctrl-C ends it.\n")
        watch_over(supervisor, stop)


def drop_samples(inbox: Path) -> Path:
    """Write the films into a new folder of the inbox, as a modality would. Returns the folder."""
    now = datetime.now()
    folder = inbox / f"demo-{now:%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    for name, content in demo_films(now.date()):
        partial = folder / f"{name}.part"
        partial.write_bytes(content)
        partial.rename(folder / name)
    return folder


def wait_until_scored(
    settings: Settings,
    supervisor: Supervisor,
    folder: Path,
    stop: threading.Event,
    timeout: float,
) -> None:
    """Show each sample going received → ready → scored. Raises Unavailable after `timeout`."""
    total = len(sample_files()) + len(COPIES)
    database = open_database(settings.database)
    deadline = time.monotonic() + timeout
    with Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    ) as progress:
        bars = {step: progress.add_task(step, total=total) for step in REACHED}
        while not stop.wait(0.3):
            supervisor.restart_dead()
            states = _states(database, folder.name)
            for step, bar in bars.items():
                progress.update(bar, completed=sum(s in REACHED[step] for s in states))
            if sum(state in REACHED["scored"] for state in states) >= total:
                break
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The samples were not scored within {timeout:.0f} s; "
                    f"the logs are in {settings.home_path / 'logs'}."
                )
    database.dispose()


def _states(database: Database, folder: str) -> list[ImageState]:
    try:
        with database.read() as session:
            return list(arrival_states(session, f"{folder}/").values())
    except SQLAlchemyError:
        # The parts are still bringing up the schema.
        return []
