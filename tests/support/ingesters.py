"""A real ingester in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

from readfirst.settings import Settings
from tests.support.environments import clean_environment
from tests.support.waiting import TIMEOUT, wait_until

ROOT: Final = Path(__file__).parents[2]
#: capabilities(7): what lets root read and write files against their permissions.
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24


class IngesterProcess:
    """The running process, its log, and what becomes of it."""

    def __init__(self, pid: int, log: Path) -> None:
        self.process = psutil.Process(pid)
        self._log = log

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log with this event."""
        entries = [
            json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")
        ]
        return [line for line in entries if line.get("event") == event]

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until something holds. Fails with the log when it does not come to hold."""

        def ended_or_done() -> bool:
            return self.has_ended() or done()

        wait_until(ended_or_done, pause=0.1, detail=self._log.read_text)
        assert not self.has_ended(), self._log.read_text()

    def has_ended(self) -> bool:
        """Tell whether it runs no more, whoever has yet to take note of that."""
        try:
            return bool(self.process.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def stand_still(self) -> None:
        """Stop it, and wait until it stands: only then it takes nothing more."""
        self.process.suspend()
        wait_until(lambda: self.process.status() == psutil.STATUS_STOPPED)


class IngesterForks:
    """A process that has loaded all that an ingester needs, and of which ingesters are forked."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def fork(self, environment: dict[str, str], log: Path) -> int:
        """Start an ingester; its process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([environment, str(log)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def ingester_forks() -> Iterator[IngesterForks]:
    """Load it all once, for many ingesters."""
    command = [sys.executable, "-m", "tests.support.forked_ingester"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        yield IngesterForks(process)
        process.communicate()


def as_text(value: object) -> str:
    """A setting as its variable has it; the parts of a list stand with commas between them."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@contextmanager
def an_ingester(
    settings: Settings, forks: IngesterForks | None = None, *, as_root: bool = True
) -> Iterator[IngesterProcess]:
    """Start `readfirst ingest`. as_root: with root's power over permissions, if we have it.

    forks: starts it, in place of its command, which loads it all anew.
    """
    chosen = settings.model_dump(exclude_none=True)
    environment = clean_environment()
    environment |= {f"READFIRST_{name.upper()}": as_text(value) for name, value in chosen.items()}
    environment["READFIRST_DATABASE_URL"] = settings.database
    settings.home_path.mkdir(parents=True, exist_ok=True)
    log = settings.home_path / "ingester.log"
    log.touch()
    if forks:
        pid, own = forks.fork(environment, log), None
    else:
        own = start(environment, log, as_root=as_root)
        pid = own.pid
    ingester = IngesterProcess(pid, log)
    try:
        ingester.wait_for(lambda: bool(ingester.lines("watching") or ingester.lines("inbox_gone")))
        yield ingester
    finally:
        if not ingester.has_ended():
            ingester.process.resume()
            ingester.process.terminate()
        own.wait(TIMEOUT) if own else ingester.process.wait(TIMEOUT)


def start(environment: dict[str, str], log: Path, *, as_root: bool) -> "subprocess.Popen[bytes]":
    """Start the command."""
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "readfirst", "ingest"],
            env=environment,
            stderr=errors,
            preexec_fn=None if as_root else without_power_over_permissions,
        )


def without_power_over_permissions() -> None:
    """Let root, after the next exec, be bound by permissions as anybody else."""
    import ctypes

    if os.geteuid() == 0:
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the capability cannot be dropped")
