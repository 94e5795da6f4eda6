"""ReadFirst's own commands as processes, and patience with them."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from db.worklist import reading_order
from readfirst.cli.worklist import opened
from readfirst.settings import Settings

#: Two cores that also compile networks for the first time need a while.
PATIENCE = 180.0


def readfirst(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "readfirst", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def rows(environment: dict[str, str], *arguments: str) -> Any:
    answer = readfirst(environment, *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def wait_for(what: Callable[[], bool], logs: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "\n".join(log.read_text()[-1500:] for log in logs.glob("*"))
        time.sleep(0.5)


def scored(environment: dict[str, str]) -> int:
    """How many studies are scored. Asked of the database: a command would keep a core busy."""
    home, url = environment["READFIRST_HOME"], environment["READFIRST_DATABASE_URL"]
    settings = Settings(home=Path(home), database_url=SecretStr(url))
    with opened(settings) as database, database.read() as session:
        return sum(row.probability is not None for row in reading_order(session, limit=100))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    """A process and all that it starts; at the end it is asked to stop, and nothing remains."""
    started = subprocess.Popen(command, env=environment, start_new_session=True)
    process = psutil.Process(started.pid)
    try:
        yield process
        family = process.children(recursive=True)
        process.send_signal(signal.SIGTERM)
        started.wait(60)
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive, f"left running: {alive}"
    finally:
        if started.poll() is None:
            for child in [*process.children(recursive=True), process]:
                child.kill()
            started.wait()
