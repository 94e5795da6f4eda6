"""A file of the inbox that is still to be taken: its states, and the steps between them.

```
seen ─▶ settling ─▶ taken        left: it can never be taken as it is (a link, a pipe)
           │  ▲                  deferred: it could not be read or moved; the next scan tries it
           ▼  │ (it changes)     incomplete: it ends too early or in zeros, and may still be written
        incomplete ─▶ taken
```

All of it is pure: `inbox_watcher` looks at the disk and keeps the table of the files.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from ingest.inbox.watcher.scan import InboxEntry
from ingest.inbox.watcher.stability import FileSnapshot, WatcherTimeouts, is_quiet, next_snapshot
from readfirst.inbox_issues import InboxIssueCode

#: What may be otherwise at the next scan, though the file looks the same.
TRIED_AGAIN = {
    InboxIssueCode.NOT_READABLE,
    InboxIssueCode.NOT_MOVABLE,
    InboxIssueCode.OPEN_FOR_WRITING,
}


class FileState(Enum):
    """The states of a file in the inbox."""

    SEEN = auto()
    SETTLING = auto()
    INCOMPLETE = auto()
    DEFERRED = auto()
    LEFT = auto()


class NextStep(Enum):
    """The next step with a file that was just looked at."""

    WAIT = auto()
    READ = auto()
    TAKE = auto()


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason why a file cannot be taken. detail: what the operating system said."""

    code: InboxIssueCode
    detail: str = ""


OPEN_FOR_WRITING = Reason(InboxIssueCode.OPEN_FOR_WRITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFile:
    """A file of the inbox that has not been taken.

    snapshot: how it looked; None before the first look. reason: why it cannot be taken, or could
    not at the last try. unannounced: a scan has found it and no event has named it.
    """

    state: FileState = FileState.SEEN
    snapshot: FileSnapshot | None = None
    reason: Reason | None = None
    unannounced: bool = False


def after_event(file: PendingFile | None) -> PendingFile:
    """Return the file after an event has named it; None: it was not known."""
    if file is None:
        return PendingFile()
    # A link may have become a file. What is deferred waits for the scan all the same.
    state = FileState.SEEN if file.state is FileState.LEFT else file.state
    return replace(file, state=state, unannounced=False)


def after_scan(
    file: PendingFile | None, entry: InboxEntry | None, *, unannounced: bool
) -> PendingFile | None:
    """Return the file after a scan; None: nothing is to be remembered of it.

    file: None if it was not known. entry: what the scan has found; None if it found nothing.
    unannounced: an event should have named a file that is new.
    """
    if entry is not None and entry.code is not None:
        return PendingFile(state=FileState.LEFT, reason=Reason(entry.code, entry.detail))
    if file is None or file.state is FileState.LEFT:
        return None if entry is None else PendingFile(unannounced=unannounced)
    tried_again = entry is not None and file.reason and file.reason.code in TRIED_AGAIN
    state = FileState.SETTLING if file.state is FileState.DEFERRED else file.state
    return replace(file, state=state, reason=file.reason if tried_again else None)


def after_look(file: PendingFile, size: int, mtime_ns: int, now: float) -> PendingFile:
    """Return the file after a look at its size and modification time."""
    snapshot = next_snapshot(file.snapshot, size, mtime_ns, now)
    grown = file.state is FileState.INCOMPLETE and snapshot != file.snapshot
    state = FileState.SETTLING if grown or file.state is FileState.SEEN else file.state
    is_written = snapshot != file.snapshot and file.reason == OPEN_FOR_WRITING
    return replace(file, state=state, snapshot=snapshot, reason=None if is_written else file.reason)


def left(file: PendingFile) -> PendingFile:
    """Return the file after it turned out to be a folder, a link or a pipe."""
    return replace(file, state=FileState.LEFT)


def next_step(file: PendingFile, now: float, timeouts: WatcherTimeouts) -> NextStep:
    """Return the next step with a file: wait, read whether it is whole, or take it as it is."""
    if file.snapshot is None or not is_quiet(file.snapshot, now, timeouts.settle):
        return NextStep.WAIT
    if file.state is FileState.SETTLING:
        return NextStep.READ
    waited = is_quiet(file.snapshot, now, timeouts.settle + timeouts.incomplete)
    return NextStep.TAKE if file.state is FileState.INCOMPLETE and waited else NextStep.WAIT


def incomplete(file: PendingFile) -> PendingFile:
    """Return the file after it was found to end too early."""
    return replace(file, state=FileState.INCOMPLETE)


def open_for_writing(file: PendingFile, now: float, timeouts: WatcherTimeouts) -> PendingFile:
    """Return the file after somebody was found to have it open, who may write on.

    It is reported if nothing has been written for longer than a file may be incomplete.
    """
    waits = file.snapshot is None or not is_quiet(
        file.snapshot, now, timeouts.settle + timeouts.incomplete
    )
    return replace(file, reason=file.reason if waits else OPEN_FOR_WRITING)


def deferred(file: PendingFile | None, reason: Reason) -> PendingFile:
    """Return the file after it could not be read or moved; None: it had been forgotten."""
    return replace(file or PendingFile(), state=FileState.DEFERRED, reason=reason)
