"""`up` and the parts that it starts; compose starts the same parts one by one."""

import os
import signal
import sys
import threading
from enum import StrEnum
from typing import Annotated

import typer

from readfirst import DISCLAIMER
from readfirst.cli.console import notice
from readfirst.cli.status import watch_over
from readfirst.cli.worklist import opened
from readfirst.logs import configure_logs
from readfirst.settings import Settings, load_settings


class Work(StrEnum):
    """The kinds of work a worker may take."""

    PREPARE = "prepare"
    ASSESS = "assess"


#: Each kind listens to the housekeeping too, so that the sweep needs neither of them alone.
QUEUES = {Work.PREPARE: "prepare,housekeeping", Work.ASSESS: "assess,housekeeping"}


def up() -> None:
    """Start everything on this machine: broker, ingester, workers, beat, page. Ctrl-C ends it."""
    from ingest.scope_rules import load_rules
    from readfirst.supervisor import running, with_open_port

    settings = with_open_port(load_settings(), may_move=False)
    load_rules(settings.scope)
    check_access(settings)
    notice(f"[dim]{DISCLAIMER}[/dim]")
    with stop_on_signal() as stop, running(settings) as supervisor:
        watch_over(supervisor, settings, stop)


def ingest() -> None:
    """Watch the inbox and take in what arrives."""
    from readfirst.queue import CeleryRinger, make_app
    from worker.ingester import run_ingester
    from worker.resources import open_resources

    settings = _entry()
    ringer = CeleryRinger(make_app(settings))
    with stop_on_signal() as stop, open_resources(settings, ringer) as resources:
        run_ingester(resources, stop)


def receive() -> None:
    """Listen for images sent by DICOM (C-STORE, C-ECHO), and put them into the inbox."""
    from ingest.delivery import inlet
    from ingest.receive.listener import listening
    from ingest.receive.terms import listener_terms

    settings = _entry()
    terms = listener_terms(settings)
    way_in = inlet(settings, "dicom")
    with stop_on_signal() as stop, listening(terms, way_in) as listener:
        secured = " by TLS" if terms.tls else ""
        notice(f"{terms.ae_title} listens on {terms.host}:{listener.port}{secured}")
        stop.wait()


def worker(
    only: Annotated[
        Work | None, typer.Option(help="Take this kind of work only. Default: both kinds.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes. Default: READFIRST_PREPARE_WORKERS for prepare, else 1: networks "
            "use every core, and a GPU has one process.",
        ),
    ] = None,
) -> None:
    """Run a Celery worker that prepares images, assesses them, or both."""
    settings = _entry()
    kinds = [only] if only else list(Work)
    processes = concurrency or (settings.prepare_workers if only is Work.PREPARE else 1)
    _become_celery(
        "worker",
        f"--queues={','.join(QUEUES[kind] for kind in kinds)}",
        f"--concurrency={processes}",
        f"--hostname={'-'.join(kinds)}-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
    )


def beat() -> None:
    """Ring the clock: the sweep every few seconds, the re-scoring every night."""
    settings = _entry()
    # A pid file would keep beat from starting after a crash; the supervisor sees to it being one.
    _become_celery("beat", "--pidfile=", f"--schedule={settings.home_path / 'beat-schedule'}")


def serve(
    host: Annotated[str | None, typer.Option(help="Default: READFIRST_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: READFIRST_PORT.")] = None,
) -> None:
    """Serve the worklist page and the API."""
    from readfirst.queue import Bell, CeleryRinger
    from readfirst.queue import make_app as make_queue
    from worklist.app import make_app
    from worklist.security.terms import tls_files
    from worklist.server import make_server

    settings = _entry()
    chosen = {"host": host or settings.host, "port": settings.port if port is None else port}
    settings = settings.model_copy(update=chosen)
    check_access(settings)
    ringer = CeleryRinger(make_queue(settings))
    app = make_app(settings, lambda: ringer.ring(Bell.ASSESS))
    server = make_server(app, settings.host, settings.port, tls_files(settings))
    server.run()
    if not server.started:
        raise typer.Exit(1)


def check_access(settings: Settings) -> None:
    """Raises Misconfigured where other machines would reach a page without log-in."""
    from worklist.security.terms import check_may_listen

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


def _entry() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level)
    settings.home_path.mkdir(parents=True, exist_ok=True)
    return settings


def _become_celery(*arguments: str) -> None:
    """Replace this process by Celery's own command, so that signals reach it directly."""
    command = [sys.executable, "-m", "celery", "--quiet", "--app=worker.app", *arguments]
    os.execv(sys.executable, command)
