"""A thread that gives signs of life for its process, whatever else the process does."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.session import Database, open_database
from db.site.heartbeats import BEAT_SECONDS, ProcessId, beat, end
from readfirst.site.parts import Part

log = structlog.get_logger()
#: Seconds after a sign of life that the database did not take; and that a last one may take.
AGAIN_SECONDS, LAST_SECONDS = 2.0, 5.0


class Heartbeat:
    """The signs of life of one process, which may be several parts at once.

    A database that does not answer stops nothing but the signs of life.
    """

    def __init__(
        self, database_url: str, parts: tuple[Part, ...], every: float = BEAT_SECONDS
    ) -> None:
        self._url = database_url
        self._parts = parts
        self._every = every
        self._process = ProcessId(socket.gethostname()[:255], os.getpid())
        self._started = datetime.now(UTC)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin; the first sign is given at once."""
        self._thread.start()

    def stop(self) -> None:
        """Let the database know that this process has ended by itself."""
        self._stop.set()
        self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        database = open_database(self._url)
        was_noted = True
        try:
            while not self._stop.is_set():
                is_noted = self._is_noted(database, self._beat, quietly=not was_noted)
                was_noted = is_noted
                self._stop.wait(self._every if is_noted else AGAIN_SECONDS)
            self._is_noted(database, self._end, quietly=True)
        finally:
            database.dispose()

    def _is_noted(
        self, database: Database, noted: Callable[[Database], None], *, quietly: bool
    ) -> bool:
        try:
            noted(database)
        except SQLAlchemyError as error:
            if not quietly:
                log.warning("heartbeat_not_noted", action="heartbeat", error=type(error).__name__)
            return False
        return True

    def _beat(self, database: Database) -> None:
        with database.write() as session:
            for part in self._parts:
                beat(session, part, self._process, self._started, datetime.now(UTC))

    def _end(self, database: Database) -> None:
        with database.write() as session:
            for part in self._parts:
                end(session, part, self._process)


@contextmanager
def beating(database_url: str, *parts: Part) -> Iterator[None]:
    """Give signs of life for as long as the block runs."""
    heartbeat = Heartbeat(database_url, parts)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()
