"""The ingester: everything that settles in the inbox is claimed and taken in."""

import threading
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.claim import Claim, claim, give_back, hold_inbox, leftovers
from ingest.disk import intake_room
from ingest.watch import Watcher
from readfirst.errors import Unavailable
from readfirst.settings import Settings
from worker.intake import take_in
from worker.resources import Resources

log = structlog.get_logger()
#: Seconds between two tries while the database or the disk does not answer.
RETRY_SECONDS = 2.0


def run_ingester(resources: Resources, stop: threading.Event) -> None:
    """Watch the inbox until `stop` is set. Raises Misconfigured if another ingester does."""
    settings = resources.settings
    inbox = settings.inbox_path
    inbox.mkdir(parents=True, exist_ok=True)
    with hold_inbox(inbox):
        for left in leftovers(inbox):
            wait_for_room(settings, stop)
            _take_in_at_last(inbox, left, resources, stop)
        watcher = Watcher(
            inbox,
            settle_seconds=settings.settle_seconds,
            incomplete_seconds=settings.incomplete_seconds,
            scan_seconds=settings.scan_seconds,
            reader=resources.reader,
        )
        for path in watcher.settled(stop):
            wait_for_room(settings, stop)
            _take(inbox, path, resources, stop)


def wait_for_room(settings: Settings, stop: threading.Event) -> None:
    """Take nothing as long as the disk has too little room; say so once, and once when it has."""
    room = intake_room(settings)
    if room.enough:
        return
    log.error("intake_paused", action="disk", free=room.free, least=room.least)
    while not (room.enough or stop.wait(RETRY_SECONDS)):
        room = intake_room(settings)
    log.info("intake_goes_on", action="disk", free=room.free)


def _take(inbox: Path, path: Path, resources: Resources, stop: threading.Event) -> None:
    if stop.is_set():
        return
    try:
        claimed = claim(inbox, path)
    except OSError as error:
        # The inbox does not let go of it, as without permission: the next scan tries again.
        log.warning("not_claimed", action="claim", error=error.strerror, suffix=path.suffix)
        return
    if claimed is not None:
        _take_in_at_last(inbox, claimed, resources, stop)


def _take_in_at_last(
    inbox: Path, claimed: Claim, resources: Resources, stop: threading.Event
) -> None:
    """Wait for a database or a disk that does not answer, however long. What is stopped meanwhile
    stays claimed, for the next start; a file that itself cannot be read goes back to the inbox.
    """
    while not stop.is_set():
        try:
            take_in(claimed, resources)
            return
        except (Unavailable, SQLAlchemyError) as error:
            kind = type(error).__name__
            log.error("intake_waits", action="take_in", claim=claimed.claim_id, error=kind)
            stop.wait(RETRY_SECONDS)
        except OSError as error:
            log.error(
                "not_readable", action="take_in", claim=claimed.claim_id, error=error.strerror
            )
            give_back(inbox, claimed)
            return
