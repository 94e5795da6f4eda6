"""Workers in processes of their own, that stand still at one point of their work until killed.

`python -m tests.support.killable_worker` imports everything once. For each line of its input, which
is HOME, DATABASE_URL and POINT in JSON, it forks a worker; it prints `here` and the number of that
process when the worker stands there, and `ended` when it is gone.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from db.session import open_database
from ingest.reader.reader_process import Reader
from models.manifest import shipped_version
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.settings import Settings
from readfirst.testing import FixedEnsemble
from tests.support.workers import Worker, fixed_registry

#: What is said when it stands there, and when it is gone.
HERE, ENDED = "here", "ended"
POINTS = ("decoding", "scoring")


def _stop_here() -> None:
    print(HERE, os.getpid(), flush=True)
    while True:
        signal.pause()


class StoppedReader(Reader):
    """Stands still where a film is decoded."""

    point = ""

    def film(self, path: Path, least_side: int) -> Any:
        """As in `Reader`."""
        if self.point == "decoding":
            _stop_here()
        return super().film(path, least_side)


class StoppedEnsemble(FixedEnsemble):
    """Stands still when it is asked for a score."""

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        """Never answer."""
        _stop_here()
        return super().predict(images)


def work(home: str, database_url: str, point: str) -> None:
    """Work until the point is reached."""
    settings = Settings(home=Path(home), database_url=SecretStr(database_url))
    ensemble = StoppedEnsemble([0.9], version=shipped_version())
    with StoppedReader(60, 512) as reader:
        reader.point = point
        database = open_database(settings.database)
        worker = Worker(settings, database, reader, fixed_registry(settings, ensemble))
        while worker.prepare_next():
            pass
        worker.score_batch()


def main() -> None:
    """Fork workers, one after the other."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                work(*json.loads(line))
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        print(ENDED, flush=True)


if __name__ == "__main__":
    main()
