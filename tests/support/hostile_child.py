"""The process that reads files, taken over: it does what an attacker's code would try there."""

import ctypes
import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

gc.disable()

from ingest.reader import answers, reader_child, sandbox  # noqa: E402
from readfirst.startup.pydicom_import import UNUSED  # noqa: E402

#: prctl(2)
PR_GET_NO_NEW_PRIVS = 39


def attempts(**aims: Any) -> dict[str, Callable[[], object]]:
    """Name each attempt; one that raises has failed."""
    return {
        "read the database": lambda: Path(aims["database"]).read_bytes(),
        "read another film": lambda: Path(aims["other"]).read_bytes(),
        "list the home": lambda: list(Path(aims["home"]).iterdir()),
        "write a file": lambda: Path(aims["home"], "written").write_bytes(b"x"),
        "remove the film": lambda: Path(aims["film"]).unlink(),
        "change the film": lambda: Path(aims["film"]).chmod(0o777),
        "read another process": lambda: Path(f"/proc/{aims['parent']}/environ").read_bytes(),
        "end another process": lambda: os.kill(aims["parent"], 0),
        "reach a port": lambda: socket.create_connection(("127.0.0.1", aims["port"]), 5),
        "reach a socket": lambda: socket.socket(socket.AF_UNIX).connect(aims["socket"]),
        "start a program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        "become a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        "fork": os.fork,
    }


def payload(path: Path, **aims: Any) -> tuple[dict[str, Any], bytes]:
    """Try everything; say what worked, and what there is to see."""
    worked = {}
    for name, attempt in attempts(film=str(path), **aims).items():
        try:
            attempt()
        except OSError as error:
            worked[name] = error.strerror or str(error)
        else:
            worked[name] = "worked"
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    report = {
        "attempts": worked,
        "film": len(path.read_bytes()),
        "means": MEANS,
        "environment": sorted(os.environ),
        "descriptors": _open_descriptors(),
        "no_new_privs": ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
    }
    return {"header": report}, b""


def _open_descriptors() -> int:
    count = 0
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        count += 1
    return count


#: Before the file system is closed: what the kernel has.
MEANS = sandbox.means()


def imported(_path: Path) -> tuple[dict[str, Any], bytes]:
    """Say what this process has imported, and the one that it was forked from had not."""
    facts = {
        "imported": sorted(set(sys.modules) - BEFORE_FORK),
        "unused": [name for name in sorted(UNUSED) if sys.modules.get(name)],
        "collects": gc.isenabled(),
    }
    return facts, b""


#: The modules of the process that those of files are forked from.
BEFORE_FORK: set[str] = set()

if __name__ == "__main__":
    os.register_at_fork(before=lambda: BEFORE_FORK.update(sys.modules))
    answers.ANSWERS["imported"] = imported
    answers.ANSWERS["payload"] = payload
    answers.ANSWERS["process"] = lambda path: ({"process": os.getpid()}, b"")
    reader_child.main()
