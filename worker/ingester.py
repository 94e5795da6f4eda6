"""The ingester: everything that settles in the inbox is claimed and taken in."""

import shutil
import threading
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.claim import Claim, claim, give_back, hold_inbox, leftovers
from ingest.disk import intake_room
from ingest.filesystems import must_poll
from ingest.sniff import is_archive
from ingest.watch import Patience, Watcher
from readfirst.errors import Unavailable
from readfirst.notices import Notice, NoticeCode
from readfirst.settings import Settings
from worker.archives import take_in_archive
from worker.intake import take_in
from worker.noticeboard import Noticeboard
from worker.resources import Resources

log = structlog.get_logger()
#: Seconds between two tries while the database or the disk does not answer.
RETRY_SECONDS = 2.0


def run_ingester(resources: Resources, stop: threading.Event) -> None:
    """Watch the inbox until `stop` is set, and wait for it whenever it is not there.

    Raises Misconfigured if another ingester watches it.
    """
    inbox = resources.settings.inbox_path
    board = Noticeboard(resources.database)
    with suppress(OSError):
        inbox.mkdir(parents=True, exist_ok=True)
    gone = False
    while not stop.is_set():
        try:
            with hold_inbox(inbox):
                if gone:
                    log.warning("inbox_is_back", action="watch")
                gone = False
                _take_all(inbox, resources, board, stop)
        except OSError as error:
            # It is not mounted, was renamed, or cannot be written to: what works again does so
            # without a new start.
            if not gone:
                log.error("inbox_gone", action="watch", error=error.strerror)
            gone = True
            board.show({Notice(NoticeCode.INBOX_GONE, ".", error.strerror or "")})
            stop.wait(RETRY_SECONDS)


def _take_all(inbox: Path, resources: Resources, board: Noticeboard, stop: threading.Event) -> None:
    """Take what a run that died had claimed, then what settles, as long as the inbox is there."""
    # Ours alone, as the inbox is: what a run that died was unpacking is unpacked anew.
    shutil.rmtree(resources.settings.unpacking_path, ignore_errors=True)
    for left in leftovers(inbox):
        wait_for_room(resources.settings, stop)
        with suppress(OSError):
            # What cannot be read is back in the inbox, where the watcher tells of it.
            _take_in_at_last(inbox, left, resources, stop)
    settings = resources.settings
    patience = Patience(
        settle=settings.settle_seconds,
        incomplete=settings.incomplete_seconds,
        scan=settings.scan_seconds,
        poll=must_poll(inbox, settings.watch),
    )
    log.info("watching", action="watch", polling=patience.poll)
    watcher = Watcher(inbox, patience=patience, reader=resources.reader, report=board.show)
    for path in watcher.settled(stop):
        wait_for_room(settings, stop)
        if stop.is_set():
            return
        if trouble := _take(inbox, path, resources, stop):
            watcher.leave(path, *trouble)


def _take(
    inbox: Path, path: Path, resources: Resources, stop: threading.Event
) -> tuple[NoticeCode, str] | None:
    """Take one file that has settled, or say why it stays in the inbox."""
    try:
        claimed = claim(inbox, path)
    except OSError as error:
        return NoticeCode.NOT_MOVABLE, error.strerror or ""
    try:
        if claimed is not None:
            _take_in_at_last(inbox, claimed, resources, stop)
    except OSError as error:
        return NoticeCode.NOT_READABLE, error.strerror or ""
    return None


def wait_for_room(settings: Settings, stop: threading.Event) -> None:
    """Take nothing as long as the disk has too little room; say so once, and once when it has."""
    room = intake_room(settings)
    if room.enough:
        return
    log.error("intake_paused", action="disk", free=room.free, least=room.least)
    while not (room.enough or stop.wait(RETRY_SECONDS)):
        room = intake_room(settings)
    log.warning("intake_goes_on", action="disk", free=room.free)


def _take_in_at_last(
    inbox: Path, claimed: Claim, resources: Resources, stop: threading.Event
) -> None:
    """Wait for a database or a disk that does not answer, however long. What is stopped meanwhile
    stays claimed, for the next start. Raises OSError for a file that itself cannot be read; it
    goes back to the inbox.
    """
    while not stop.is_set():
        try:
            if is_archive(claimed.path):
                take_in_archive(claimed, resources)
            else:
                take_in(claimed, resources)
            return
        except (Unavailable, SQLAlchemyError) as error:
            kind = type(error).__name__
            log.error("intake_waits", action="take_in", claim=claimed.claim_id, error=kind)
            stop.wait(RETRY_SECONDS)
        except OSError:
            give_back(inbox, claimed)
            raise
