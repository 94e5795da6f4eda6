"""The ingester: every file that settles in the inbox is claimed and taken in."""

import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.dicom.sniff import is_archive
from ingest.inbox.claim import Claim, claim, leftovers
from ingest.inbox.disk import intake_disk_space
from ingest.inbox.inbox_lock import hold_inbox
from ingest.inbox.release import give_back
from ingest.inbox.watcher.filesystems import must_poll
from ingest.inbox.watcher.inbox_watcher import Watcher
from ingest.inbox.watcher.stability import WatcherTimeouts, Writers
from readfirst.errors import BeingWritten, Unavailable
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.settings import Settings
from worker.intake.archives import take_in_archive
from worker.intake.inbox_issue_reporter import InboxIssueReporter
from worker.intake.intake_faults import note_goes_on, note_waits
from worker.intake.services import IntakeServices
from worker.intake.take_in import take_in

log = structlog.get_logger()
#: Seconds between two tries while the database or the disk does not answer.
RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Ingester:
    """The ingester of one inbox, with all that it needs. stop: ends it."""

    settings: Settings
    services: IntakeServices
    reporter: InboxIssueReporter
    stop: threading.Event

    @property
    def inbox(self) -> Path:
        """The folder that it watches."""
        return self.settings.inbox_path


def run_ingester(settings: Settings, services: IntakeServices, stop: threading.Event) -> None:
    """Watch the inbox until `stop` is set, and wait for it whenever it is not there.

    Raises Misconfigured if another ingester watches it.
    """
    ingester = Ingester(settings, services, InboxIssueReporter(services.database), stop)
    with suppress(OSError):
        ingester.inbox.mkdir(parents=True, exist_ok=True)
    gone = False
    while not stop.is_set():
        try:
            with hold_inbox(ingester.inbox):
                if gone:
                    log.warning("inbox_is_back", action="watch")
                gone = False
                _take_all(ingester)
        except OSError as error:
            # It is not mounted, was renamed, or cannot be written to: what works again does so
            # without a new start.
            if not gone:
                log.error("inbox_gone", action="watch", error=error.strerror)
            gone = True
            issue = InboxIssue(InboxIssueCode.INBOX_GONE, ".", error.strerror or "")
            ingester.reporter.report({issue})
            stop.wait(RETRY_SECONDS)


def _take_all(ingester: Ingester) -> None:
    """Take what a run that died had claimed, then what settles, as long as the inbox is there."""
    # Ours alone, as the inbox is: what a run that died was unpacking is unpacked anew.
    shutil.rmtree(ingester.services.unpacking_folder, ignore_errors=True)
    note_goes_on(ingester.services.database)
    for leftover in leftovers(ingester.inbox):
        wait_for_room(ingester.settings, ingester.stop)
        if ingester.stop.is_set():
            return
        with suppress(OSError):
            # What cannot be read is back in the inbox, where the watcher tells of it.
            _take_in_at_last(leftover, ingester)
    _watch(ingester)


def _watch(ingester: Ingester) -> None:
    """Take what settles, as long as the inbox is there."""
    timeouts = _timeouts(ingester.settings)
    log.info("watching", action="watch", polling=timeouts.poll)
    watcher = Watcher(
        ingester.inbox,
        timeouts=timeouts,
        read_header=ingester.services.reader.header,
        report=ingester.reporter.report,
    )
    for path in watcher.settled(ingester.stop):
        wait_for_room(ingester.settings, ingester.stop)
        if ingester.stop.is_set():
            return
        if trouble := _take(path, ingester):
            watcher.defer(path, *trouble)


def _timeouts(settings: Settings) -> WatcherTimeouts:
    return WatcherTimeouts(
        settle=settings.settle_seconds,
        incomplete=settings.incomplete_seconds,
        scan=settings.scan_seconds,
        poll=must_poll(settings.inbox_path, settings.watch),
    )


def _take(path: Path, ingester: Ingester) -> tuple[InboxIssueCode, str] | None:
    """Take one file that has settled, or return why it stays in the inbox.

    One that somebody still writes goes back, to settle anew.
    """
    try:
        claimed = claim(ingester.inbox, path)
    except OSError as error:
        return InboxIssueCode.NOT_MOVABLE, error.strerror or ""
    if claimed is not None and Writers().has(claimed.path):
        # It was opened since the watcher looked; from here on nobody finds it any more.
        give_back(ingester.inbox, claimed)
        return None
    try:
        if claimed is not None:
            _take_in_at_last(claimed, ingester)
    except OSError as error:
        return InboxIssueCode.NOT_READABLE, error.strerror or ""
    return None


def wait_for_room(settings: Settings, stop: threading.Event) -> None:
    """Take nothing as long as the disk has too little room; say so once, and once when it has."""
    space = intake_disk_space(settings)
    if space.enough:
        return
    log.error("intake_paused", action="disk", free=space.free, least=space.least)
    while not space.enough:
        if stop.wait(RETRY_SECONDS):
            return
        space = intake_disk_space(settings)
    log.warning("intake_goes_on", action="disk", free=space.free)


def _take_in_at_last(claimed: Claim, ingester: Ingester) -> None:
    """Work a claim to its end, also when a stop comes just after it was made.

    Waits for a database or a disk that does not answer, however long. Only what is stopped while
    it waits stays claimed: the next start goes on with the same claim, so that what was committed
    already is not doubled. Raises OSError for a file that itself cannot be read; it goes back to
    the inbox. So does one that somebody still writes.
    """
    waited = False
    while True:
        try:
            # This is the one look at the kind: an archive is unpacked, and never stored, and so
            # the steps of `take_in` see only what is in it.
            if is_archive(claimed.path):
                take_in_archive(claimed, ingester.services)
            else:
                take_in(claimed, ingester.services)
            if waited:
                note_goes_on(ingester.services.database)
            return
        except (Unavailable, SQLAlchemyError) as error:
            kind, waited = type(error).__name__, True
            log.error("intake_waits", action="take_in", claim=claimed.claim_id, error=kind)
            note_waits(ingester.services.database, error)
            if ingester.stop.wait(RETRY_SECONDS):
                return
        except BeingWritten:
            log.info("still_written", action="take_in", claim=claimed.claim_id)
            give_back(ingester.inbox, claimed)
            return
        except OSError:
            if waited:
                note_goes_on(ingester.services.database)
            give_back(ingester.inbox, claimed)
            raise
