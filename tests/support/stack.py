"""ReadFirst's own commands as processes, and waiting for them."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from typer.testing import CliRunner, Result

from cli import app, main
from db.session import open_database
from tests.support import faults
from tests.support.environments import clean_environment
from tests.support.waiting import LONG_TIMEOUT, TIMEOUT, wait_until

ROOT = Path(__file__).parents[2]


def readfirst(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "readfirst", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=LONG_TIMEOUT, check=False
    )


def run_here(environment: dict[str, str], *arguments: str, stdin: str | None = None) -> Result:
    """Run a command in this process, as a new one has to load it all. It must end well."""
    answer = CliRunner().invoke(app, arguments, env=environment, input=stdin)
    assert answer.exit_code == 0, (answer.output, answer.exception)
    return answer


def main_here(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as its own process would, from the first line of `main`, in this one."""
    before = os.umask(0)
    os.umask(before)
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", ["readfirst", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os.umask(before)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def rows(environment: dict[str, str], *arguments: str) -> Any:
    """The rows that a command prints."""
    return json.loads(run_here(environment, *arguments, "--json").stdout)


def wait_for(what: Callable[[], bool], logs: Path) -> None:
    wait_until(
        what,
        timeout=LONG_TIMEOUT,
        pause=0.5,
        detail=lambda: "\n".join(log.read_text()[-1500:] for log in logs.glob("*")),
    )


@cache
def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)


def selected(environment: dict[str, str], query: str) -> list[Any]:
    """The rows of a query; none as long as the schema is not there.

    Of the database itself: a command, which looks after the schema, would keep a core busy.
    """
    url = environment["READFIRST_DATABASE_URL"]
    if not url.startswith("sqlite") or Path(url.removeprefix("sqlite:///")).exists():
        with suppress(OperationalError, ProgrammingError), _engine(url).connect() as connection:
            return list(connection.execute(text(query)))
    return []


def scored(environment: dict[str, str]) -> int:
    """The number of scored studies."""
    return len(selected(environment, "SELECT id FROM studies WHERE probability IS NOT NULL"))


def time_passes(environment: dict[str, str]) -> None:
    """Let all pauses be over, and the leases of what was killed, as long after."""
    database = open_database(environment["READFIRST_DATABASE_URL"])
    faults.time_passes(database)
    database.dispose()


def page_address(log: Path) -> str:
    """The address of the page, as `serve` writes it to its log, without the slash at its end."""
    notice = re.compile(r"The page is at (\S+)/$", re.MULTILINE)
    wait_until(lambda: log.exists() and notice.search(log.read_text()), detail=log.read_text)
    return str(notice.findall(log.read_text())[-1])


def part_of_stack(*names: str) -> list[str]:
    """The command that runs some parts of `up`, for tests that say nothing of the others."""
    return [sys.executable, "-m", "tests.support.part_of_stack", *names]


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    """A process and all that it starts; at the end it is asked to stop, and nothing remains."""
    started = subprocess.Popen(command, env=environment, start_new_session=True, cwd=ROOT)
    process = psutil.Process(started.pid)
    try:
        yield process
        family = process.children(recursive=True)
        process.send_signal(signal.SIGTERM)
        started.wait(TIMEOUT)
        _, alive = psutil.wait_procs(family, timeout=TIMEOUT)
        assert not alive, f"left running: {alive}"
    finally:
        if started.poll() is None:
            kill_all(process)
            started.wait()


def kill_all(process: psutil.Process) -> list[psutil.Process]:
    """Kill a process and all that it has started, some of which may be ending just now."""
    family = [process, *process.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    return family


@contextmanager
def listening(command: str, settings: dict[str, str], log: Path) -> Iterator[int]:
    """A command that listens, as a process of its own. Gives its port; it stops in good order.

    settings: the only ones of ReadFirst in its environment. log: takes what it writes after the
    line that names the port.
    """
    environment = clean_environment()
    process = subprocess.Popen(
        [sys.executable, "-m", "readfirst", command],
        env=environment | settings,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stderr is not None
    with log.open("wb") as rest, process.stderr as stderr:
        line = stderr.readline().decode()
        copying = threading.Thread(target=shutil.copyfileobj, args=(stderr, rest))
        copying.start()
        try:
            match = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert match, line
            yield int(match[1])
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(TIMEOUT)
            copying.join()
    assert code == 0
