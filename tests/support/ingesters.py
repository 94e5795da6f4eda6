"""A real ingester in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from readfirst.settings import Settings
from tests.support.environments import clean_environment
from tests.support.waiting import TIMEOUT, wait_until

#: capabilities(7): what lets root read and write files against their permissions.
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24


class IngesterProcess:
    """The running process, its log, and what becomes of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
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
            return self.process.poll() is not None or done()

        wait_until(ended_or_done, pause=0.1, detail=self._log.read_text)
        assert self.process.poll() is None, self._log.read_text()


def as_text(value: object) -> str:
    """A setting as its variable has it; the parts of a list stand with commas between them."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@contextmanager
def an_ingester(settings: Settings, *, as_root: bool = True) -> Iterator[IngesterProcess]:
    """Start `readfirst ingest`. as_root: with root's power over permissions, if we have it."""
    chosen = settings.model_dump(exclude_none=True)
    environment = clean_environment()
    environment |= {f"READFIRST_{name.upper()}": as_text(value) for name, value in chosen.items()}
    environment["READFIRST_DATABASE_URL"] = settings.database
    settings.home_path.mkdir(parents=True, exist_ok=True)
    log = settings.home_path / "ingester.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "readfirst", "ingest"],
            env=environment,
            stderr=errors,
            preexec_fn=None if as_root else without_power_over_permissions,
        )
    ingester = IngesterProcess(process, log)
    try:
        ingester.wait_for(lambda: bool(ingester.lines("watching") or ingester.lines("inbox_gone")))
        yield ingester
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(TIMEOUT)


def without_power_over_permissions() -> None:
    """Let root, after the next exec, be bound by permissions as anybody else."""
    import ctypes

    if os.geteuid() == 0:
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the capability cannot be dropped")
