"""The two kinds of processes that Celery makes of this one: a worker, and the clock.

Its own command would do the same, in a process that imports and reads all settings once more.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from celery.utils.nodenames import default_nodename, host_format

from worker.app import app


def run_worker(queues: Sequence[str], processes: int, name: str) -> int:
    """Take tasks from the queues until a signal ends it. Returns the exit code.

    processes: that work at the same time. name: of this worker among those of its machine.
    """
    _allow_restart()
    worker = app.Worker(
        hostname=host_format(default_nodename(name)),
        queues=list(queues),
        concurrency=processes,
        without_gossip=True,
        without_mingle=True,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    return worker.exitcode or 0


def run_clock(schedule: Path) -> None:
    """Send the tasks whose time has come until a signal ends it. schedule: a file to keep them in.

    Without a pid file, which would keep it from starting after a crash; the supervisor sees to it
    being one.
    """
    app.Beat(pidfile=None, schedule=str(schedule), loglevel="WARNING", quiet=True).run()


def _allow_restart() -> None:
    """A worker that gets SIGHUP starts Python again with these arguments."""
    sys.argv = ["-m", "readfirst", *sys.argv[1:]]
