"""`readfirst ingest` in processes of its own, forked from one that has loaded all of it.

`python -m tests.support.forked_ingester`: for each line of its input, which is ENVIRONMENT and LOG
in JSON, it forks an ingester and prints the number of that process.
"""

import gc
import json
import os
import signal
import sys

from cli import main, parts
from db.site import beating
from ingest.inbox.watcher import inbox_watcher
from ingest.scope import unused_patterns
from readfirst.tasks import celery_app
from worker import composition
from worker.intake import ingester

#: What `readfirst ingest` loads when it is called.
LOADED = (beating, celery_app, composition, ingester, inbox_watcher, parts, unused_patterns)


def run(environment: dict[str, str], log: str) -> None:
    """Be an ingester, whose errors go to the end of the log."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    errors = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDWR)
    for old, new in ((nothing, 0), (nothing, 1), (errors, 2)):
        os.dup2(old, new)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["readfirst", "ingest"]
    main()


def fork_ingesters() -> None:
    """Fork them, one after the other."""
    # Nobody waits for them: whoever wanted them looks whether they are there.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            code = 1
            try:
                run(*json.loads(line))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)


if __name__ == "__main__":
    fork_ingesters()
