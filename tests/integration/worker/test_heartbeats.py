"""Every part of a running ReadFirst gives signs of life, as the administrator's page has them."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil

from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import page_address, running, wait_for
from tests.support.waiting import TIMEOUT, wait_until

PARTS = {"page", "ingester", "prepare", "score", "clock", "listener"}


def parts(address: str) -> dict[str, Any]:
    with urlopen(f"{address}/api/v1/admin/status", timeout=TIMEOUT) as answer:
        return {part["part"]: part for part in json.load(answer)["parts"]}


def test_all_parts_of_up_beat_and_one_that_dies_falls_silent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = os.environ | {
        "READFIRST_HOME": str(home),
        "READFIRST_PORT": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": "0",
    }
    logs = home / "logs"
    write_small_ensemble(home / "ensembles")
    with running([sys.executable, "-m", "readfirst", "up"], environment) as up:
        wait_for(lambda: (logs / "page.log").exists(), logs)
        address = page_address(logs / "page.log")
        wait_for(
            lambda: {n for n, part in parts(address).items() if part["processes"]} == PARTS, logs
        )
        before = parts(address)
        assert all(part["expected"] and part["hosts"] for part in before.values())
        clock = next(
            process
            for process in up.children(recursive=True)
            if "beat" in process.cmdline() and psutil.pid_exists(process.pid)
        )
        clock.send_signal(signal.SIGKILL)
        # It is started again, and says so: the one that died has left its last sign behind.
        wait_until(
            lambda: (
                (parts(address)["clock"]["started_at"] or "") != before["clock"]["started_at"]
                or parts(address)["clock"]["processes"] == 2
            ),
            timeout=TIMEOUT,
        )
