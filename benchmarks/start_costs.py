"""The processor time of each part of `readfirst up`: until it has scored a film, and to its end.

`python -m benchmarks.start_costs [--seconds 60]`: on a fresh home, with a small ensemble, so that
the parts themselves are seen.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from readfirst.samples import FOLDER
from tests.support.environments import clean_environment
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import running, scored
from tests.support.waiting import LONG_TIMEOUT

#: Words of the command lines of what `up` starts, and the names of these parts.
PARTS = {
    "valkey-server": "Valkey",
    "serve": "page",
    "ingest": "ingester",
    "receive": "DICOM listener",
    "prepare": "worker, prepare",
    "assess": "worker, assess",
    "beat": "clock",
}
#: A worker's child, which does the work, and what reads files for a part.
CHILDREN = {"spawn_main": "child", "child_start": "reader"}
#: Seconds between two looks, and between start and the reading of what a rest costs.
LOOK, SETTLE = 0.2, 8.0
#: Seconds of processor time, by part.
Costs = dict[str, float]


class Meter:
    """Reads the processor time of a family of processes, and keeps that of those that ended."""

    def __init__(self, first: psutil.Process) -> None:
        self._first = first
        self._names = {first.pid: "supervisor"}
        self._costs: dict[int, float] = {}

    def look(self) -> None:
        """Read them all once."""
        with suppress(psutil.Error):
            for process in [self._first, *self._first.children(recursive=True)]:
                with suppress(psutil.Error):
                    times = process.cpu_times()
                    self._costs[process.pid] = times.user + times.system
                    self._name(process)

    def until(self, holds: Callable[[], object]) -> None:
        """Read them again and again until something holds."""
        end = time.monotonic() + LONG_TIMEOUT
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError("No film was scored.")
            self.look()
            time.sleep(LOOK)
        self.look()

    def costs(self) -> Costs:
        """Give the seconds that each part has taken up to now."""
        costs: Costs = {}
        for pid, cost in self._costs.items():
            name = self._names.get(pid, "others")
            costs[name] = costs.get(name, 0.0) + cost
        return costs

    def _name(self, process: psutil.Process) -> None:
        if process.pid in self._names:
            return
        words = " ".join(process.cmdline())
        parent = self._names.get(process.ppid(), "")
        for word, name in CHILDREN.items():
            if word in words:
                self._names[process.pid] = parent if parent.endswith(name) else f"{parent}, {name}"
                return
        for word, name in PARTS.items():
            if word in words:
                self._names[process.pid] = name


@contextmanager
def a_site() -> Iterator[dict[str, str]]:
    """The variables of a fresh home with one film in its inbox."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        (home / "inbox").mkdir(parents=True)
        write_small_ensemble(home / "ensembles")
        shutil.copy(FOLDER / "study-01.dcm", home / "inbox")
        yield clean_environment() | {
            "READFIRST_HOME": str(home),
            "READFIRST_DATABASE_URL": f"sqlite:///{home / 'readfirst.db'}",
            "READFIRST_PORT": "0",
            "READFIRST_RECEIVE": "true",
            "READFIRST_RECEIVE_PORT": "0",
        }


def wait(seconds: float) -> Callable[[], bool]:
    """A condition that holds after so many seconds."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def measure(seconds: float) -> tuple[Costs, Costs, Costs]:
    """Run it once. seconds: of rest. Returns the costs of start, rest and end."""
    with a_site() as environment:
        with running([sys.executable, "-m", "readfirst", "up"], environment) as up:
            meter = Meter(up)
            meter.until(lambda: scored(environment) == 1)
            meter.until(wait(SETTLE))
            started = meter.costs()
            meter.until(wait(seconds))
            rested = meter.costs()
            up.terminate()
            meter.until(lambda: not up.is_running() or up.status() == psutil.STATUS_ZOMBIE)
        ended = meter.costs()
    rest = {name: cost - started.get(name, 0.0) for name, cost in rested.items()}
    end = {name: cost - rested.get(name, 0.0) for name, cost in ended.items()}
    return started, rest, end


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of rest")
    started, rest, end = measure(parser.parse_args().seconds)
    print("| part | start and one film | rest | end |\n| --- | --- | --- | --- |")
    for name in sorted(started, key=lambda name: -started[name]):
        figures = " | ".join(f"{costs.get(name, 0.0):.2f}" for costs in (started, rest, end))
        print(f"| {name} | {figures} |")
    print(f"| all | {' | '.join(f'{sum(each.values()):.1f}' for each in (started, rest, end))} |")


if __name__ == "__main__":
    main()
