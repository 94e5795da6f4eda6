"""`up` and the parts that it starts; compose starts the same parts one by one."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.text import Text

from cli.common.console import err, notice
from cli.page_sockets import inherited, listen, port_of
from readfirst import DISCLAIMER
from readfirst.files.folders import make_home, make_inbox
from readfirst.files.private_files import home_is_open
from readfirst.logs import configure_logs
from readfirst.settings import Settings, load_settings, unknown_settings
from readfirst.site.parts import Part

if TYPE_CHECKING:
    from ingest.scope.scope_rules import ScopeRules

log = structlog.get_logger()


class Work(StrEnum):
    """The kinds of work a worker may take."""

    PREPARE = "prepare"
    SCORE = "assess"


#: Each kind listens to the housekeeping too, so that the sweep needs neither of them alone. Results
#: are sent by those that prepare: whoever waits for another system scores no film meanwhile.
QUEUES = {
    Work.PREPARE: ("prepare", "housekeeping", "sending"),
    Work.SCORE: ("assess", "housekeeping"),
}


#: Said of a home folder from before files were private.
OPEN_HOME = (
    "Other users of this machine can look into the home folder: `readfirst doctor --fix-rights` "
    "shuts it."
)


def up(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Of the page. Default: READFIRST_PORT.")
    ] = None,
) -> None:
    """Start everything on this machine: broker, ingester, workers, beat, page. Ctrl-C ends it."""
    from cli.status import watch_over
    from cli.supervisor import running
    from ingest.scope.scope_rules import load_rules

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    notice_unknown_settings()
    notice_unused_patterns(load_rules(settings.scope))
    check_access(settings)
    notice_open_home(settings)
    notice_inbox(settings)
    notice(DISCLAIMER, "dim")
    with stop_on_signal() as stop, running(settings) as supervisor:
        watch_over(supervisor, stop)


def ingest() -> None:
    """Watch the inbox and take in what arrives."""
    from db.site.beating import beating
    from ingest.scope.unused_patterns import unused_patterns
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.composition import open_use_cases
    from worker.intake.ingester import run_ingester

    settings = _entry()
    make_inbox(settings.home_path, settings.inbox_path)
    notifier = CeleryNotifier(make_app(settings))
    with (
        stop_on_signal() as stop,
        open_use_cases(settings, notifier) as use_cases,
        beating(settings.database, Part.INGESTER),
    ):
        for unused in unused_patterns(use_cases.intake.rules):
            log.warning("unused_pattern", action="start", reason=unused.sentence)
        run_ingester(settings, use_cases.intake, stop)


def receive() -> None:
    """Listen for images sent by DICOM (C-STORE, C-ECHO), and put them into the inbox."""
    from db.session import open_database
    from db.site.beating import beating
    from ingest.inbox.inbox_writer import inbox_writer
    from ingest.receivers.listener import listening
    from ingest.receivers.listener_config import listener_config
    from worker.sending.commitments import take_commitment

    settings = _entry()
    config = listener_config(settings)
    writer = inbox_writer(settings, "dicom")
    database = open_database(settings.database)
    with (
        stop_on_signal() as stop,
        listening(config, writer, partial(take_commitment, database)) as listener,
        beating(settings.database, Part.LISTENER),
    ):
        secured = " by TLS" if config.tls else ""
        notice(f"{config.ae_title} listens on {config.host}:{listener.port}{secured}")
        stop.wait()


def mllp() -> None:
    """Listen for HL7 messages (MLLP): orders, reports and changes of patients."""
    from db.site.beating import beating
    from ingest.hl7.listener import listening_for_hl7
    from ingest.hl7.listener_config import hl7_listener_config
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.ris.services import open_ris
    from worker.ris.take_message import take_message

    settings = _entry()
    config = hl7_listener_config(settings)
    with (
        stop_on_signal() as stop,
        open_ris(settings, CeleryNotifier(make_app(settings))) as services,
        listening_for_hl7(config, partial(take_message, services)) as listener,
        beating(settings.database, Part.HL7_LISTENER),
    ):
        secured = " by TLS" if config.tls else ""
        notice(f"The HL7 listener listens on {config.host}:{listener.port}{secured}")
        stop.wait()


def worker(
    only: Annotated[
        Work | None, typer.Option(help="Take this kind of work only. Default: both kinds.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Processes. Default: READFIRST_PREPARE_WORKERS for prepare, else 1: networks "
            "use every core, and a GPU has one process.",
        ),
    ] = None,
) -> None:
    """Run a Celery worker that prepares images, assesses them, or both."""
    settings = _entry()
    # It reads the settings as well, so that a wrong one is told of before.
    from worker.celery_process import run_worker

    kinds = [only] if only else list(Work)
    processes = concurrency or (settings.prepare_workers if only is Work.PREPARE else 1)
    name = f"{'-'.join(kinds)}-{os.getpid()}"
    raise typer.Exit(
        run_worker([queue for kind in kinds for queue in QUEUES[kind]], processes, name)
    )


def beat() -> None:
    """Run the scheduler: the sweep every few seconds, the re-scoring every night."""
    settings = _entry()
    from worker.celery_process import run_clock

    run_clock(settings.home_path / "beat-schedule")


def serve(
    host: Annotated[str | None, typer.Option(help="Default: READFIRST_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Default: READFIRST_PORT.")
    ] = None,
    descriptor: Annotated[
        list[int] | None,
        typer.Option(hidden=True, help="A socket that `up` has opened and that listens already."),
    ] = None,
) -> None:
    """Serve the worklist page and the API."""
    with _uncollected():
        from cli.doctor import CHECKS
        from cli.status import page_address
        from db.site.beating import beating
        from readfirst.tasks.celery_app import CeleryNotifier
        from readfirst.tasks.celery_app import make_app as make_queue
        from worklist.app import make_app
        from worklist.security.access_policy import tls_files
        from worklist.server import make_server

    settings = _entry()
    chosen = {"host": host or settings.host, "port": settings.port if port is None else port}
    settings = settings.model_copy(update=chosen)
    check_access(settings)
    sockets = inherited(descriptor) if descriptor else listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": port_of(sockets)})
    notifier = CeleryNotifier(make_queue(settings))
    app = make_app(settings, notifier.notify, CHECKS)
    server = make_server(app, settings.host, settings.port, tls_files(settings))
    # What is imported stays: to look through all of it for garbage would halt pages for 0.2 s.
    gc.collect()
    gc.freeze()
    err.print(Text(f"The page is at {page_address(settings)}"), soft_wrap=True)
    with beating(settings.database, Part.PAGE):
        server.run(sockets)
    if not server.started:
        raise typer.Exit(1)


def notice_unknown_settings() -> None:
    """Tell of each variable that looks like a setting and is none: it may be misspelt."""
    for unknown in unknown_settings():
        err.print(Text(unknown.sentence, "yellow"), soft_wrap=True)


def notice_inbox(settings: Settings) -> None:
    """Make the inbox; tell if files cannot be taken from it. It is waited for, as for a share."""
    if fault := make_inbox(settings.home_path, settings.inbox_path):
        notice(f"The inbox cannot be used, and is waited for: {fault}", "red")


def notice_open_home(settings: Settings) -> None:
    """Tell of a home folder that other users of this machine can look into."""
    if home_is_open(settings.home_path, settings.inbox_path):
        notice(OPEN_HOME, "yellow")


def check_access(settings: Settings) -> None:
    """Raises Misconfigured where other machines would reach a page without log-in."""
    from cli.common.database import opened
    from worklist.security.access_policy import check_may_listen

    with opened(settings) as database, database.read() as session:
        check_may_listen(settings, session)


class stop_on_signal:  # noqa: N801 - reads as a verb in `with`
    """An event that SIGINT and SIGTERM set; the second signal ends the process the usual way."""

    def __enter__(self) -> threading.Event:
        self._event = threading.Event()
        self._previous = {
            number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self._event

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: object) -> None:
        if self._event.is_set():
            signal.signal(number, signal.SIG_DFL)
        self._event.set()


def notice_unused_patterns(rules: "ScopeRules") -> None:
    """Tell which patterns of the rules of the scope can never decide anything."""
    from ingest.scope.unused_patterns import unused_patterns

    for unused in unused_patterns(rules):
        err.print(Text(unused.sentence, "yellow"), soft_wrap=True)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without looking for garbage, of which there is none: a fourth of the page's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _entry() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level)
    for unknown in unknown_settings():
        log.warning(
            "unknown_setting", action="start", setting=unknown.name, advice=unknown.sentence
        )
    make_home(settings.home_path)
    if home_is_open(settings.home_path, settings.inbox_path):
        log.warning("home_is_open", action="start", advice=OPEN_HOME)
    return settings
