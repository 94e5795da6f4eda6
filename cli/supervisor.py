"""All processes on one machine: started, watched, started again when they die, and stopped."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from cli.common.log_files import move_on
from cli.page_sockets import listen, port_of
from readfirst.errors import Misconfigured, Unavailable
from readfirst.files.folders import make_home, os_fault
from readfirst.files.private_files import PRIVATE_FOLDER, PRIVATE_UMASK, private_umask
from readfirst.settings import Settings
from readfirst.tasks.broker import EmbeddedBroker

log = structlog.get_logger()
MEGABYTE = 1024 * 1024

#: Seconds before what died again at once is started the next time, doubled up to the most.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A process that ran so long had no trouble at its start.
STEADY_SECONDS = 30.0
#: Seconds that a process has to end by itself. A worker hands its rest on every 10 s, and what is
#: killed later loses nothing: its leases end, and workers are woken again.
STOP_SECONDS = 15.0


@dataclass(slots=True)
class Restarts:
    """The time when something that died is started again, and why it could not be."""

    tried_at: float = 0.0
    #: When it was last seen running.
    ran_at: float = 0.0
    pause: float = FIRST_PAUSE
    #: Why the latest try failed; None if it did not.
    fault: str | None = None

    def try_again(self, name: str, start: Callable[[], None]) -> None:
        """Start it if its pause is over. What fails is logged once, and tried again later."""
        if self.ran_at - self.tried_at > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        if time.monotonic() - self.tried_at <= self.pause:
            return
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.tried_at = time.monotonic()
        try:
            start()
        except (Unavailable, OSError) as error:
            if self.fault is None:
                log.error("part_not_started", action="restart", part=name, error=str(error))
            self.fault = str(error).partition("\n")[0].rstrip(".")
        else:
            self.running(name)

    def running(self, name: str) -> None:
        """Note that it runs."""
        self.ran_at = time.monotonic()
        if self.fault is not None:
            log.warning("part_started_again", action="restart", part=name)
            self.fault = None


@dataclass(slots=True)
class StackProcess:
    """A process of the stack."""

    name: str
    arguments: Sequence[str]
    #: Sockets that it inherits, by their descriptors.
    descriptors: Sequence[int] = ()
    popen: subprocess.Popen[bytes] | None = None
    starts: int = 0
    restarts: Restarts = field(default_factory=Restarts)

    def is_running(self) -> bool:
        """Return whether it lives."""
        return self.popen is not None and self.popen.poll() is None


@dataclass(slots=True)
class Supervisor:
    """The stack of one home folder.

    page_sockets: those on which the page listens. They are open as long as the stack runs, so
    that no other process can be given the port before the page serves it, or while it restarts.
    """

    settings: Settings
    page_sockets: Sequence[socket.socket] = ()
    processes: list[StackProcess] = field(init=False)
    broker: EmbeddedBroker | None = field(init=False)
    broker_restarts: Restarts = field(init=False, default_factory=Restarts)

    def __post_init__(self) -> None:
        self.broker = None if self.settings.broker_url else EmbeddedBroker(self.settings)
        descriptors = [listener.fileno() for listener in self.page_sockets]
        inherit = [f"--descriptor={descriptor}" for descriptor in descriptors]
        self.processes = [
            StackProcess("page", ["serve", *inherit], descriptors),
            StackProcess("ingest", ["ingest"]),
            StackProcess("prepare", ["worker", "--only", "prepare"]),
            StackProcess("assess", ["worker", "--only", "assess"]),
            StackProcess("beat", ["beat"]),
        ]
        if self.settings.receive:
            self.processes.insert(1, StackProcess("receive", ["receive"]))
        if self.settings.hl7_port is not None:
            self.processes.insert(1, StackProcess("mllp", ["mllp"]))

    def start(self) -> None:
        """Start the broker and then every process. Raises Unavailable or OSError if one cannot
        start: whoever has just asked for the stack learns at once that it is not there.
        """
        if self.broker is not None:
            self.broker.start()
            self.broker_restarts.tried_at = time.monotonic()
        for process in self.processes:
            self._start(process)
            process.restarts.tried_at = time.monotonic()

    def restart_dead(self) -> None:
        """Start again what has died, and keep the logs small. What keeps dying, or cannot start,
        waits longer each time; everything else goes on meanwhile.
        """
        if self.broker is not None:
            if self.broker.is_running():
                self.broker_restarts.running("broker")
            else:
                self.broker_restarts.try_again("broker", self.broker.start)
        self.move_logs_on()
        for process in self.processes:
            if process.is_running():
                process.restarts.running(process.name)
            else:
                process.restarts.try_again(process.name, partial(self._start, process))

    @property
    def faults(self) -> dict[str, str]:
        """The reasons why something cannot be started again at the moment, by its name."""
        restarts = {"broker": self.broker_restarts}
        restarts |= {process.name: process.restarts for process in self.processes}
        return {name: each.fault for name, each in restarts.items() if each.fault is not None}

    def stop(self) -> None:
        """Stop all processes at once, and then the broker, which they need until they have ended.

        What does not end is killed. No order is needed among them: what one of them has begun
        is taken up when it starts again.
        """
        running = [
            process.popen for process in self.processes if process.popen and process.is_running()
        ]
        for popen in running:
            popen.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for popen in running:
            try:
                popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(popen.pid, signal.SIGKILL)
                popen.wait()
        if self.broker is not None:
            self.broker.stop()

    def log_path(self, process: StackProcess) -> Path:
        """The file of a process's log lines."""
        return self.settings.home_path / "logs" / f"{process.name}.log"

    def move_logs_on(self) -> None:
        """Keep the logs of all parts, Valkey's too, within their bounds."""
        logs = [self.log_path(process) for process in self.processes]
        logs.append(self.settings.home_path / "valkey" / "valkey.log")
        move_on(logs, self.settings.log_megabytes * MEGABYTE, self.settings.log_files)

    def _start(self, process: StackProcess) -> None:
        path = self.log_path(process)
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with private_umask():
            lines = path.open("ab")
        with lines:
            process.popen = subprocess.Popen(
                [sys.executable, "-m", "readfirst", *process.arguments],
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=subprocess.STDOUT,
                env=os.environ | environment(self.settings),
                # A group of its own: Ctrl-C reaches the supervisor, which stops them.
                start_new_session=True,
                pass_fds=process.descriptors,
                umask=PRIVATE_UMASK,
                preexec_fn=_die_with_parent,
            )
        process.starts += 1


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a child process the same settings."""
    values = {
        "READFIRST_HOME": str(settings.home_path),
        "READFIRST_INBOX": str(settings.inbox_path),
        "READFIRST_PORT": str(settings.port),
    }
    if settings.database_url:
        values["READFIRST_DATABASE_URL"] = settings.database
    if settings.broker_url:
        values["READFIRST_BROKER_URL"] = settings.broker
    return values


@contextmanager
def running(settings: Settings, *, may_move: bool = False) -> Iterator[Supervisor]:
    """The whole stack, for the length of the block. Raises Misconfigured if it runs already.

    The settings of the stack name the port on which the page listens: a free one for 0, or, if it
    may move, where another program has the port. If it may not, Misconfigured is raised.
    """
    with ExitStack() as stack:
        stack.enter_context(_only_one(settings.home_path))
        sockets = _page_sockets(settings, may_move=may_move)
        for listener in sockets:
            stack.enter_context(listener)
        supervisor = Supervisor(
            settings.model_copy(update={"port": port_of(sockets)}), page_sockets=sockets
        )
        stack.callback(supervisor.stop)
        try:
            supervisor.start()
        except OSError as error:
            raise Unavailable(f"A part cannot be started: {os_fault(error)}") from error
        yield supervisor


def _page_sockets(settings: Settings, *, may_move: bool) -> list[socket.socket]:
    try:
        return listen(settings.host, settings.port)
    except Misconfigured:
        if not may_move:
            raise
        return listen(settings.host, 0)


def is_up(home: Path) -> bool:
    """Return whether `readfirst up` or `readfirst demo` runs in a home folder."""
    try:
        with (home / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    make_home(home)
    with (home / "up.lock").open("w") as lock:
        for tries_left in reversed(range(3)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if not tries_left:
                    raise Misconfigured(
                        f"ReadFirst is already running for {home}. Stop it first."
                    ) from error
                # `is_up` may be looking, which takes a moment.
                time.sleep(0.1)
        yield


def _die_with_parent() -> None:
    """Ask Linux to end this child when the supervisor is killed; elsewhere it lives on."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
