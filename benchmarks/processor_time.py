"""Where the processor time of the tests goes: by file, by kind, and by fixture. A plugin of pytest.

    pytest -p benchmarks.processor_time tests/browser

Of this process and all that it starts, wherever they are adopted, so that it says the same however
busy the machine is, or nearly: Linux counts it by control group, and the tests run in one of their
own, which it leaves behind, empty, until the machine starts anew. It needs root, and no `-n`.

With PROCESSOR_TIME_FILE=file.json the figures are kept too; `python -m
benchmarks.processor_time before.json after.json` compares the files of two of them.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Final

import pytest

#: Where version 2 of the control groups is, alone or beside version 1.
MOUNTS: Final = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
#: Lines of each table.
LINES: Final = 40


def own_group() -> Callable[[], float]:
    """Put this process into a control group of its own; what returns its seconds so far."""
    mounts = [mount for mount in MOUNTS if (mount / "cgroup.procs").exists()]
    if not mounts:
        raise pytest.UsageError("there are no control groups of version 2 here")
    group = mounts[0] / f"readfirst-tests-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(os.getpid()))
    except PermissionError as error:
        raise pytest.UsageError("a control group can be made by root alone") from error
    counters = group / "cpu.stat"

    def seconds() -> float:
        return int(counters.read_text().split()[1]) / 1e6

    return seconds


class ProcessorTime:
    """Sums up processor time; registered with pytest as a plugin."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        #: Of the fixtures that are being set up, what those within them took.
        self._within: list[float] = []
        self.sums: dict[str, dict[str, float]] = {
            "file": defaultdict(float),
            "kind": defaultdict(float),
            "fixture": defaultdict(float),
            "test": {},
        }

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """Measure the collecting of the tests."""
        before = self._seconds()
        result = yield
        self.sums["kind"]["collecting"] = self._seconds() - before
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Measure a test with its fixtures."""
        before = self._seconds()
        result = yield
        taken = self._seconds() - before
        kinds = ("browser", "stack", "integration", "unit")
        kind = next(name for name in kinds if item.get_closest_marker(name))
        self.sums["test"][item.nodeid] = taken
        self.sums["kind"][kind] += taken
        self.sums["file"][item.nodeid.partition("::")[0]] += taken
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """Measure a fixture, without those that it made on its way."""
        before = self._seconds()
        self._within.append(0.0)
        try:
            return (yield)
        finally:
            taken = self._seconds() - before
            self.sums["fixture"][fixturedef.argname] += taken - self._within.pop()
            if self._within:
                self._within[-1] += taken

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the tables, and the file if one is named."""
        for name, sums in self.sums.items():
            terminalreporter.section(f"processor time by {name}, seconds")
            for line in table(sums):
                terminalreporter.line(line)
        if "PROCESSOR_TIME_FILE" in os.environ:
            Path(os.environ["PROCESSOR_TIME_FILE"]).write_text(json.dumps(self.sums))


def table(sums: Mapping[str, float]) -> list[str]:
    """The largest of some sums, and all together."""
    largest = sorted(sums, key=lambda name: -sums[name])[:LINES]
    return [f"{sums[name]:8.1f}  {name}" for name in [*largest]] + [
        f"{sum(sums.values()):8.1f}  all {len(sums)}"
    ]


def pytest_configure(config: pytest.Config) -> None:
    """Measure from now on."""
    config.pluginmanager.register(ProcessorTime(own_group()))


def compare(before: Path, after: Path) -> list[str]:
    """The files of tests that both have, by what was saved: seconds before, after, and its name."""
    old, new = (json.loads(path.read_text())["file"] for path in (before, after))
    both = sorted(old.keys() & new.keys(), key=lambda name: new[name] - old[name])
    rows = [f"{old[name]:8.1f} {new[name]:8.1f}  {name}" for name in both]
    total = [sum(sums[name] for name in both) for sums in (old, new)]
    return [*rows, f"{total[0]:8.1f} {total[1]:8.1f}  all {len(both)}"]


if __name__ == "__main__":
    print("\n".join(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
