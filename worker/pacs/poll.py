"""Archives are polled: each source is visited every so often, and what is new there is fetched."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

import structlog
from sqlalchemy.exc import DBAPIError

from db.pacs.fetches import claim_next_fetch, note_found
from db.pacs.polling import VISIT, SourceVisit, claim_visit, end_visit, note_polled, renew_visit
from db.pacs.priors import note_priors, priors_since, study_without_priors
from ingest.pacs.client import PacsClient
from readfirst.errors import Misconfigured, SourceUnavailable, Unavailable
from readfirst.pacs.fetches import FetchPurpose
from readfirst.pacs.window import window_queries, window_start
from readfirst.settings import Settings
from readfirst.studies.priors import A_DAY
from worker.background import TICK_SECONDS
from worker.pacs.fetch_study import fetch_study
from worker.pacs.find_priors import PriorPolicy, find_priors, prior_policy
from worker.pacs.find_studies import find_films
from worker.pacs.renewing import renewing
from worker.pacs.services import FetchServices

log = structlog.get_logger()
PURPOSES = (FetchPurpose.POLL, FetchPurpose.PRIOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """The site's rules of polling. every: from the end of a visit to the next one. look_back: by
    which a window overlaps the one before. zone: of the days of Study Date. priors: None if none
    are fetched.
    """

    every: timedelta
    look_back: timedelta
    zone: tzinfo
    priors: PriorPolicy | None = None


def poll_policy(settings: Settings) -> PollPolicy:
    """Make the rules that the settings state."""
    return PollPolicy(
        every=timedelta(seconds=settings.fetch_every_seconds),
        look_back=timedelta(minutes=settings.fetch_look_back_minutes),
        zone=settings.zone,
        priors=prior_policy(settings),
    )


@dataclass(slots=True)
class Poller:
    """Visits the sources of a site, one after another.

    clock: the time of day. seconds: a clock that never jumps.
    """

    services: FetchServices
    policy: PollPolicy
    stop: threading.Event
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: Callable[[], float] = time.monotonic
    #: Of each source, when it was polled, by both clocks.
    _polled: dict[int, tuple[datetime, float]] = field(default_factory=dict)

    def run(self) -> None:
        """Visit sources until somebody wants it to end."""
        while not self.stop.is_set():
            try:
                while not self.stop.is_set() and self.visit_next():
                    pass
            except DBAPIError as error:
                log.warning("database_fails", action="poll", error=str(error.orig))
            except Exception:
                # Whatever it is, it ends neither the clock nor the next visit.
                log.exception("poll_failed", action="poll")
            self.stop.wait(TICK_SECONDS)

    def visit_next(self) -> bool:
        """Visit the source that is due for longest. Returns False where none is."""
        database = self.services.database
        with database.write() as session:
            visit = claim_visit(session, self.clock())
        if visit is None:
            return False
        error: str | None = None
        try:
            with renewing(
                database, lambda session, at: renew_visit(session, visit, at), VISIT.lease
            ):
                self._visit(visit)
        except (SourceUnavailable, Misconfigured) as fault:
            error = str(fault)
        except Unavailable as fault:
            # The disk: intake says so, and the archive is not to blame.
            log.warning("nothing_fetched", action="poll", reason=str(fault))
            self._end(visit, failed=True)
            return True
        self.services.note_answer(visit.record, error, self.clock(), action="poll")
        self._end(visit, failed=error is not None)
        return True

    def _visit(self, visit: SourceVisit) -> None:
        record = visit.record
        with self.services.open_client(record.source, self.stop) as client:
            if record.source.polled:
                self._find(visit, client)
            if record.source.gives_priors and self.policy.priors is not None:
                self._find_priors(visit, client, self.policy.priors)
            self._fetch(visit, client)

    def _find(self, visit: SourceVisit, client: PacsClient) -> None:
        """Ask for what is new, and give it rows."""
        record, began_at, began = visit.record, self.clock(), self.seconds()
        polled_at, elapsed = record.polled_at, None
        last = self._polled.get(record.id)
        if last is not None and last[0] == polled_at:
            elapsed = timedelta(seconds=began - last[1])
        start = window_start(began_at, polled_at, elapsed, self.policy.look_back)
        for query in window_queries(start, began_at, self.policy.zone):
            matches = find_films(client, query)
            if self.stop.is_set():
                return
            with self.services.database.write() as session:
                note_found(session, record.id, matches, FetchPurpose.POLL, began_at)
        with self.services.database.write() as session:
            note_polled(session, visit, began_at)
        self._polled[record.id] = began_at, began

    def _find_priors(self, visit: SourceVisit, client: PacsClient, policy: PriorPolicy) -> None:
        """Ask for the earlier films of those patients who have a new one."""
        source_id = visit.record.id
        while not self.stop.is_set():
            now = self.clock()
            with self.services.database.read() as session:
                study = study_without_priors(session, source_id, now)
                count = priors_since(session, source_id, now - A_DAY)
            if study is None or count >= policy.most_per_day:
                return
            priors = find_priors(client, study, policy, now)[: policy.most_per_day - count]
            with self.services.database.write() as session:
                number = note_priors(session, source_id, study.id, priors, now)
            log.info("priors_found", action="poll", priors=number)

    def _fetch(self, visit: SourceVisit, client: PacsClient) -> None:
        """Fetch all that waits, the most urgent first, until the next visit is due."""
        database = self.services.database
        until = self.seconds() + self.policy.every.total_seconds()
        while not self.stop.is_set() and self.seconds() < until:
            with database.write() as session:
                claim = claim_next_fetch(session, visit.record.id, PURPOSES, self.clock())
            if claim is None:
                return
            fetch_study(database, client, claim, is_last=False, clock=self.clock)

    def _end(self, visit: SourceVisit, *, failed: bool) -> None:
        with self.services.database.write() as session:
            end_visit(session, visit, self.clock(), self.policy.every, failed=failed)
