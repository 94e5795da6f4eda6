"""A real ingester in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from readfirst.settings import Settings

#: capabilities(7): what lets root read and write files against their permissions.
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24
#: Two busy cores need a while to import everything.
PATIENCE = 60.0


class Ingester:
    """The running process, its log, and what becomes of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log with this event."""
        found = [
            json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")
        ]
        return [line for line in found if line.get("event") == event]

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until something holds. Fails with the log when it does not come to hold."""
        end = time.monotonic() + PATIENCE
        while not done():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.1)


@contextmanager
def an_ingester(settings: Settings, *, as_root: bool = True) -> Iterator[Ingester]:
    """Start `readfirst ingest`. as_root: with root's power over permissions, if we have it."""
    chosen = settings.model_dump(exclude_none=True)
    environment = {name: value for name, value in os.environ.items() if "READFIRST_" not in name}
    environment |= {f"READFIRST_{name.upper()}": str(value) for name, value in chosen.items()}
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
    ingester = Ingester(process, log)
    try:
        ingester.wait_for(lambda: bool(ingester.lines("watching") or ingester.lines("inbox_gone")))
        yield ingester
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(PATIENCE)


def without_power_over_permissions() -> None:
    """Let root, after the next exec, be bound by permissions as anybody else."""
    import ctypes

    if os.geteuid() == 0:
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the capability cannot be dropped")
