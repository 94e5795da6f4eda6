"""The thread that polls archives, in the process of the clock: it waits, and does no other work."""

import threading
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.pacs.sources import has_sources
from db.session import Database, open_database
from readfirst.settings import Settings
from worker.background import TICK_SECONDS, start_in_background

log = structlog.get_logger()


def start_polling(settings: Settings) -> None:
    """Poll from now on until the process ends."""
    stop = threading.Event()
    database = open_database(settings.database)
    start_in_background("polling", partial(poll, settings, database, stop), stop)


def poll(settings: Settings, database: Database, stop: threading.Event) -> None:
    """Poll once there is a source, until the event is set.

    What asks archives is not even imported before.
    """
    while not _has_sources(database):
        if stop.wait(TICK_SECONDS):
            return
    from worker.pacs.poll import Poller, poll_policy
    from worker.pacs.services import fetch_services

    Poller(fetch_services(settings, database), poll_policy(settings), stop).run()


def _has_sources(database: Database) -> bool:
    try:
        with database.read() as session:
            return has_sources(session)
    except SQLAlchemyError as error:
        log.warning("database_fails", action="poll", error=type(error).__name__)
        return False
