"""A back-fill: many studies, one after another, at a pace, and on from where a run ended."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from db.pacs.fetches import LEASE, claim_fetch, note_found, take_turn
from db.pacs.sources import PacsSourceRecord
from ingest.pacs.client import PacsClient
from readfirst.errors import SourceRefuses, SourceUnavailable, Unavailable
from readfirst.pacs.fetches import FetchPurpose, FetchState
from readfirst.pacs.matches import PacsStudy, StudyQuery
from worker.pacs.fetch_study import FetchedStudy, fetch_study
from worker.pacs.find_studies import find_films
from worker.pacs.services import FetchServices

Result = TypeVar("Result")
#: Seconds of a pause from which no association is kept open meanwhile.
REST_SECONDS = 5.0
#: So many failures in a row are not those of single studies.
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Backfill:
    """A back-fill from one source. interval: from one study to the next, at least."""

    services: FetchServices
    record: PacsSourceRecord
    client: PacsClient
    interval: timedelta
    stop: threading.Event

    def find(self, queries: Iterable[StudyQuery]) -> Iterator[list[PacsStudy]]:
        """Yield what each query finds.

        Raises Unavailable when the PACS does not answer for long.
        """
        for query in queries:
            matches = self._patiently(partial(find_films, self.client, query))
            if self.stop.is_set():
                return
            yield matches

    def note(self, matches: Iterable[PacsStudy]) -> list[str]:
        """Give studies their rows. Returns the UIDs of those that are to be fetched."""
        with self.services.database.write() as session:
            return note_found(
                session, self.record.id, matches, FetchPurpose.BACKFILL, _now(), again=True
            )

    def fetch(self, uids: Iterable[str]) -> Iterator[FetchedStudy]:
        """Fetch studies, at the pace of the site; one that another process has is left to it.

        Raises Unavailable when the PACS does not answer for long, or gives nothing any more.
        """
        taken_by_others = yield from self._fetch_all(uids)
        if taken_by_others and not self.stop.is_set():
            # Another process has them, or died with them; then they are free by now.
            self._rest(LEASE.total_seconds())
            yield from self._fetch_all(taken_by_others)

    def _fetch_all(self, uids: Iterable[str]) -> Generator[FetchedStudy, None, list[str]]:
        """Fetch studies. Returns those that another process has."""
        taken_by_others: list[str] = []
        failures = 0
        for uid in uids:
            self._wait_for_turn()
            if self.stop.is_set():
                return []
            result = self._patiently(partial(self._fetch, uid))
            if result is None:
                taken_by_others.append(uid)
                continue
            if result.state is FetchState.FOUND and self.stop.is_set():
                return []
            yield result
            failures = failures + 1 if result.reason and not result.images else 0
            if failures == MOST_FAILURES:
                raise Unavailable(
                    f"{failures} studies in a row could not be fetched. The last: {result.reason}"
                )
        return taken_by_others

    def _fetch(self, uid: str) -> FetchedStudy | None:
        database = self.services.database
        with database.write() as session:
            claim = claim_fetch(session, self.record.id, uid, _now())
        if claim is None:
            return None
        return fetch_study(database, self.client, claim, is_last=True)

    def _wait_for_turn(self) -> None:
        with self.services.database.write() as session:
            turn = take_turn(session, self.record.id, _now(), self.interval)
        self._rest((turn - _now()).total_seconds())

    def _patiently(self, ask: Callable[[], Result]) -> Result:
        """Ask until the PACS answers, with ever longer pauses. Raises Unavailable in the end."""
        policy, attempts = self.services.back_off, 0
        while True:
            try:
                result = ask()
            except Unavailable as error:
                attempts += 1
                if isinstance(error, SourceUnavailable):
                    self._note_answer(str(error))
                is_final = isinstance(error, SourceRefuses) or attempts >= policy.max_attempts
                if is_final or self.stop.is_set():
                    raise
                self._rest(policy.pause(attempts).total_seconds())
                if self.stop.is_set():
                    raise
            else:
                self._note_answer(None)
                return result

    def _note_answer(self, error: str | None) -> None:
        self.services.note_answer(self.record, error, _now(), action="fetch")

    def _rest(self, seconds: float) -> None:
        if seconds >= REST_SECONDS:
            self.client.rest()
        self.stop.wait(max(0.0, seconds))


def _now() -> datetime:
    return datetime.now(UTC)
