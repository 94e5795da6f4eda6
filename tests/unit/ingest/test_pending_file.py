"""The states of a file that waits in the inbox, and the steps between them."""

from pathlib import Path

import pytest

from ingest.inbox.watcher.pending_file import (
    FileState,
    NextStep,
    PendingFile,
    Reason,
    after_event,
    after_look,
    after_scan,
    deferred,
    incomplete,
    left,
    next_step,
    open_for_writing,
)
from ingest.inbox.watcher.scan import InboxEntry
from ingest.inbox.watcher.stability import WatcherTimeouts
from readfirst.inbox_issues import InboxIssueCode

TIMEOUTS = WatcherTimeouts(settle=1, incomplete=10, scan=60)
FILE = InboxEntry(Path("film.dcm"))
LINK = InboxEntry(Path("film.dcm"), InboxIssueCode.LINK)
SHUT = Reason(InboxIssueCode.NOT_READABLE, "Permission denied")


def looked_at(file: PendingFile, *times: float, size: int = 100) -> PendingFile:
    for now in times:
        file = after_look(file, size, 1, now)
    return file


def test_a_file_is_read_once_its_size_and_time_are_quiet() -> None:
    file = looked_at(PendingFile(), 0.0)
    assert file.state is FileState.SETTLING
    assert next_step(file, 0.9, TIMEOUTS) is NextStep.WAIT
    assert next_step(looked_at(file, 0.9), 1.0, TIMEOUTS) is NextStep.READ
    assert next_step(looked_at(file, 0.9, size=200), 1.0, TIMEOUTS) is NextStep.WAIT


def test_an_incomplete_file_is_taken_after_its_time_unless_it_grows() -> None:
    file = incomplete(looked_at(PendingFile(), 0.0))
    assert next_step(looked_at(file, 10.9), 10.9, TIMEOUTS) is NextStep.WAIT
    assert next_step(looked_at(file, 11.0), 11.0, TIMEOUTS) is NextStep.TAKE
    grown = looked_at(file, 5.0, size=200)
    assert grown.state is FileState.SETTLING
    assert next_step(grown, 6.0, TIMEOUTS) is NextStep.READ


def test_a_file_that_somebody_has_open_is_reported_only_if_nothing_is_written() -> None:
    file = looked_at(PendingFile(), 0.0)
    assert open_for_writing(file, 10.9, TIMEOUTS).reason is None
    idle = open_for_writing(file, 11.0, TIMEOUTS)
    assert idle.reason == Reason(InboxIssueCode.OPEN_FOR_WRITING)
    assert after_scan(idle, FILE, unannounced=False) == idle, "a scan changes nothing"
    assert next_step(idle, 11.0, TIMEOUTS) is NextStep.READ, "it is looked at again"
    written = looked_at(idle, 12.0, size=200)
    assert written.reason is None
    assert next_step(written, 12.5, TIMEOUTS) is NextStep.WAIT


def test_a_deferred_file_waits_for_the_scan_whatever_events_say() -> None:
    file = after_event(deferred(looked_at(PendingFile(), 0.0), SHUT))
    assert next_step(looked_at(file, 99.0), 99.0, TIMEOUTS) is NextStep.WAIT
    again = after_scan(file, FILE, unannounced=False)
    assert again is not None
    assert next_step(again, 99.0, TIMEOUTS) is NextStep.READ
    assert again.reason == SHUT, "until it has been taken"


def test_a_link_is_left_until_it_is_a_file() -> None:
    link = after_scan(None, LINK, unannounced=True)
    assert link == PendingFile(state=FileState.LEFT, reason=Reason(InboxIssueCode.LINK))
    touched = after_event(link)
    assert touched.state is FileState.SEEN
    assert left(touched) == link
    assert after_scan(touched, FILE, unannounced=False) == PendingFile()


def test_only_a_file_that_is_new_to_a_scan_lacks_its_event() -> None:
    new = after_scan(None, FILE, unannounced=True)
    assert new == PendingFile(unannounced=True)
    assert after_event(new) == PendingFile()
    assert after_scan(PendingFile(), FILE, unannounced=True) == PendingFile()


@pytest.mark.parametrize(
    ("file", "after"),
    [
        (None, None),
        (PendingFile(state=FileState.LEFT, reason=SHUT), None),
        (deferred(None, SHUT), PendingFile(state=FileState.SETTLING)),
    ],
    ids=["unknown", "left", "deferred"],
)
def test_what_a_scan_does_not_find_is_reported_no_more(
    file: PendingFile | None, after: PendingFile | None
) -> None:
    assert after_scan(file, None, unannounced=False) == after
