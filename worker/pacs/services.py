"""The needs of whoever fetches films."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from db.lifecycle.lease import LeasePolicy
from db.pacs.sources import PacsSourceRecord, note_answer
from db.session import Database
from ingest.pacs.client import PacsClient
from ingest.pacs.open_client import client_config, open_client
from readfirst.pacs.source import PacsSource
from readfirst.settings import Settings

log = structlog.get_logger()
#: After a PACS did not answer, it is left alone for a while, longer each time.
BACK_OFF = LeasePolicy(
    lease=timedelta(minutes=5),
    max_attempts=8,
    first_pause=timedelta(seconds=5),
    longest_pause=timedelta(minutes=5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchServices:
    """Database, the way to a PACS, and how long one is left alone that does not answer.

    back_off: after so many attempts in a row, a back-fill ends.
    """

    database: Database
    open_client: Callable[[PacsSource, threading.Event], PacsClient]
    back_off: LeasePolicy = BACK_OFF

    def note_answer(
        self, record: PacsSourceRecord, error: str | None, at: datetime, *, action: str
    ) -> None:
        """Note that a source answers, or why it does not; the log has it if it is news."""
        with self.database.write() as session:
            is_news = note_answer(session, record.id, at, error)
        name = record.source.name
        if is_news and error is not None:
            log.warning("source_fails", action=action, source=name, error=error)
        elif is_news:
            log.info("source_answers", action=action, source=name)


def fetch_services(settings: Settings, database: Database) -> FetchServices:
    """Make the services of a site."""
    config = client_config(settings)

    def opened(source: PacsSource, stop: threading.Event) -> PacsClient:
        return open_client(source, config, stop)

    return FetchServices(database=database, open_client=opened)
