"""Hints from the operating system about which files of the inbox have changed."""

import os
import threading
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.inbox.file_names import is_candidate, is_hidden

log = structlog.get_logger()


class FileEvents(FileSystemEventHandler):
    """The paths that events name. Events may be lost or end: whoever uses them scans too.

    Watchdog calls `on_any_event` from a thread of its own.
    """

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        self._paths: set[Path] = set()
        self._lock = threading.Lock()
        self._observer: BaseObserver | None = None
        self._silent = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Remember the files that an event names."""
        for name in (event.src_path, event.dest_path):
            path = Path(os.fsdecode(name)) if name else self._inbox
            if not event.is_directory and self._concerns(path):
                with self._lock:
                    self._paths.add(path)

    def take(self) -> set[Path]:
        """Take the paths that were named since the last time."""
        with self._lock:
            taken, self._paths = self._paths, set()
        return taken

    @property
    def alive(self) -> bool:
        """True while every thread that brings events still runs."""
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and all(emitter.is_alive() for emitter in observer.emitters)
        )

    def listen(self) -> bool:
        """Listen anew. False, and logged once, where the system has no events to give."""
        self.close()
        observer = Observer()
        try:
            observer.schedule(self, str(self._inbox), recursive=True)
            observer.start()
        except (OSError, RecursionError) as error:
            # watchdog descends by recursion, into folders of whatever depth.
            if not self._silent:
                log.warning("no_events", action="watch", error=str(error))
            self._silent = True
            return False
        self._observer, self._silent = observer, False
        return True

    def close(self) -> None:
        """Stop listening."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()

    def _concerns(self, path: Path) -> bool:
        names = path.relative_to(self._inbox).parts if path.is_relative_to(self._inbox) else ()
        return bool(names) and is_candidate(names[-1]) and not any(map(is_hidden, names[:-1]))
