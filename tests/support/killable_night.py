"""A worker in a process of its own that works on a night, until it stands still and is killed.

    python -m tests.support.killable_night HOME DATABASE_URL

It scores one batch, and prints `here` when the next is in work.
"""

import signal
import sys
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from db.session import open_database
from ingest.reader.reader_process import Reader
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.settings import Settings
from tests.support.nights import BEGIN, NIGHTLY, ByGrey, OneEnsemble
from tests.support.workers import Worker

HERE = "here"


class StopsAtTheSecond(ByGrey):
    """Answers once, and never again."""

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        """As in `ByGrey`, or stand still."""
        if self.batches:
            print(HERE, flush=True)
            while True:
                signal.pause()
        return super().predict(images)


def main(home: str, database_url: str) -> None:
    """Work on the night."""
    chosen = NIGHTLY | {"batch_size": 4}
    settings = Settings(home=Path(home), database_url=SecretStr(database_url))
    database = open_database(database_url)
    with Reader(60, 512) as reader:
        ensemble = OneEnsemble(StopsAtTheSecond([0.2]))
        worker = Worker(settings, database, reader, ensemble).with_settings(**chosen)
        worker.keep_night(BEGIN)
        while worker.score_batch() or worker.feed_night(BEGIN):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
