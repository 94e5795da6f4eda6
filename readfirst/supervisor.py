"""All parts on one machine: started, watched, started again when they die, stopped in order."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from readfirst.broker import EmbeddedBroker
from readfirst.errors import Misconfigured
from readfirst.settings import Settings

#: Seconds before a part that died again at once is started the next time, doubled up to the most.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A part that ran so long had no trouble at its start.
STEADY_SECONDS = 30.0
#: Seconds that a part has to end by itself. A worker hands its rest on every 10 s, and what is
#: killed later loses nothing: its leases end, and its bells are rung again.
STOP_SECONDS = 15.0


@dataclass(slots=True)
class Part:
    """One process of the stack."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started_at: float = 0.0
    pause: float = FIRST_PAUSE

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """The stack of one home folder."""

    settings: Settings
    parts: list[Part] = field(init=False)
    broker: EmbeddedBroker | None = field(init=False)

    def __post_init__(self) -> None:
        self.broker = None if self.settings.broker_url else EmbeddedBroker(self.settings)
        self.parts = [
            Part("page", ["serve"]),
            Part("ingest", ["ingest"]),
            Part("prepare", ["worker", "--only", "prepare"]),
            Part("assess", ["worker", "--only", "assess"]),
            Part("beat", ["beat"]),
        ]
        if self.settings.receive:
            self.parts.insert(1, Part("receive", ["receive"]))

    def start(self) -> None:
        """Start the broker and then every part."""
        if self.broker is not None:
            self.broker.start()
        for part in self.parts:
            self._start(part)

    def mend(self) -> None:
        """Start again what has died; a part that keeps dying waits longer each time."""
        if self.broker is not None and not self.broker.is_running():
            self.broker.start()
        for part in self.parts:
            if part.is_running():
                continue
            age = time.monotonic() - part.started_at
            if age > STEADY_SECONDS:
                part.pause = FIRST_PAUSE
            if age > part.pause:
                part.pause = min(part.pause * 2, LONGEST_PAUSE)
                self._start(part)

    def stop(self) -> None:
        """Stop every part, intake first and the broker last; what does not end is killed."""
        running = [part.process for part in self.parts if part.process and part.is_running()]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.broker is not None:
            self.broker.stop()

    def log_path(self, part: Part) -> Path:
        """Where a part's log lines go."""
        return self.settings.home_path / "logs" / f"{part.name}.log"

    def _start(self, part: Part) -> None:
        path = self.log_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            part.process = subprocess.Popen(
                [sys.executable, "-m", "readfirst", *part.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | environment(self.settings),
                # A group of its own: Ctrl-C reaches the supervisor, which stops them in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        part.starts += 1
        part.started_at = time.monotonic()


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


def with_open_port(settings: Settings, *, may_move: bool) -> Settings:
    """The settings with a port on which the page can listen: theirs, or a free one for 0.

    Where another program has the port, a free one if it may move, else Misconfigured is raised.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if not may_move:
                raise Misconfigured(
                    f"{settings.host}:{settings.port} is not free: {error.strerror}. "
                    "Set READFIRST_PORT to another port, or to 0 for any."
                ) from error
            probe.bind((settings.host, 0))
        return settings.model_copy(update={"port": probe.getsockname()[1]})


@contextmanager
def running(settings: Settings) -> Iterator[Supervisor]:
    """The whole stack, for the length of the block. Raises Misconfigured if it runs already."""
    with ExitStack() as stack:
        stack.enter_context(_only_one(settings.home_path))
        supervisor = Supervisor(settings)
        stack.callback(supervisor.stop)
        supervisor.start()
        yield supervisor


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(f"ReadFirst runs already in {home}.") from error
        yield


def _die_with_parent() -> None:
    """Ask Linux to end this child when the supervisor is killed; elsewhere it lives on."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
