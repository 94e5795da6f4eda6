"""The transaction of the life cycle: rows, events and outbox are written together, or not at all.

Workers are woken after the commit, so that they find what they are woken for.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from db.kept_days import forget_days
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.heat_maps import is_explained, want
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.outbox import Channel, alerts_people, enqueue_webhook, is_told
from db.lifecycle.sending.enqueue import enqueue_results, occasions_of
from db.nights.counting import Rescored, count_rescored
from db.session import Database
from db.tables import Event
from readfirst.domain import ImageState
from readfirst.heat_maps import HeatMethod
from readfirst.settings import Settings
from readfirst.tasks.names import TaskName
from readfirst.tasks.notifier import TaskNotifier

#: The task that an image in this state waits for.
TASKS = {ImageState.RECEIVED: TaskName.PREPARE, ImageState.READY: TaskName.SCORE}
#: The events by which an image comes to wait for a task.
BEGIN_TO_WAIT = {
    EventAction.RECEIVED,
    EventAction.READY,
    EventAction.PREPARE_AGAIN,
    EventAction.RESCORE,
}
#: The events that end the work on an image.
SCORINGS = {EventAction.SCORED, EventAction.SCORE_CONFIRMED, EventAction.SCORE_NOT_REPRODUCED}


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePolicy:
    """The site's rules for the life of its studies.

    max_wait: the head start of a flagged study. lease: of images. webhook: another system is told
    of flagged studies. mail: people are told of escalations by mail. prior_after: the age at
    arrival from which a study is a prior by itself; None: no study becomes one. silent: a flag
    gives no head start, and nobody is told of it. ai_hidden: until a verdict, readers and other
    systems do not see what the AI says.
    """

    max_wait: timedelta
    lease: LeasePolicy
    webhook: bool = False
    prior_after: timedelta | None = None
    mail: bool = False
    silent: bool = False
    ai_hidden: bool = False

    @property
    def head_start(self) -> timedelta:
        """The head start that a flag gives."""
        return timedelta(0) if self.silent else self.max_wait

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels by which messages leave."""
        wanted = {Channel.WEBHOOK: self.webhook, Channel.MAIL: self.mail}
        return tuple(channel for channel, is_wanted in wanted.items() if is_wanted)


def site_policy(settings: Settings) -> LifecyclePolicy:
    """The rules that a site's settings ask for."""
    return LifecyclePolicy(
        max_wait=settings.max_wait,
        lease=LeasePolicy(lease=settings.lease, max_attempts=settings.max_attempts),
        webhook=settings.webhook_url is not None,
        prior_after=settings.prior_after,
        mail=settings.escalates_by_mail or bool(settings.nightly_mail_to),
        silent=settings.is_silent,
        ai_hidden=settings.hide_ai_until_verdict,
    )


class UnitOfWork:
    """A transaction at one moment, by the site's rules, and the events that happen in it."""

    def __init__(self, session: Session, at: datetime, policy: LifecyclePolicy) -> None:
        self.session = session
        self.at = at
        self.policy = policy
        self._events: list[DomainEvent] = []
        self._rescored: dict[int, Rescored] = {}
        self._counted_anew: list[datetime] = []

    def add(self, *events: DomainEvent) -> None:
        """Note what happened."""
        self._events += events

    def add_rescored(self, study_id: int, change: Rescored) -> None:
        """Note that a study ranks anew by another scoring, for the night that runs."""
        self._rescored[study_id] = change

    def count_anew(self, moments: Iterable[datetime]) -> None:
        """Note that the figures of what came in at these moments change, without an event."""
        self._counted_anew += moments

    def write(self) -> tuple[TaskName, ...]:
        """Write events and outbox. Returns the tasks to wake workers for, after the commit."""
        self.session.flush()
        events, self._events = self._events, []
        tasks: dict[TaskName, None] = {}
        if events:
            # In one statement: nobody needs the numbers that the rows are given.
            rows = [self._row(event) for event in events]
            self.session.execute(insert(Event).execution_options(render_nulls=True), rows)
        for event in events:
            if is_told(event) and self.policy.webhook and not self.policy.silent:
                enqueue_webhook(self.session, event, self.at)
                tasks[TaskName.DELIVER] = None
            if is_explained(event) and event.score is not None:
                score, method = event.score, HeatMethod.GRAD_CAM
                version = score.ensemble_version
                want(self.session, score.image_id, version, method, self.at, requested=False)
            if event.image is not None and event.action in BEGIN_TO_WAIT:
                task = TASKS.get(event.image.state)
                tasks |= {task: None} if task else {}
        occasions = occasions_of(events, ai_hidden=self.policy.ai_hidden)
        if not self.policy.silent and enqueue_results(self.session, occasions, self.at):
            tasks[TaskName.SEND] = None
        self._count_rescored(events)
        counted_anew, self._counted_anew = self._counted_anew, []
        forget_days(self.session, (*_arrivals(events), *counted_anew), self.at)
        return tuple(tasks)

    def _count_rescored(self, events: Iterable[DomainEvent]) -> None:
        actions = [event.action for event in events if event.cause is Cause.RESCORE]
        rescored, self._rescored = self._rescored, {}
        count_rescored(
            self.session,
            rescored,
            scored=sum(action in SCORINGS for action in actions),
            failed=actions.count(EventAction.REFUSED),
            at=self.at,
        )

    def _row(self, event: DomainEvent) -> dict[str, Any]:
        detail = event.detail
        if (alert := alerts_people(event)) is not None:
            by_ai = event.action is EventAction.FLAGGED
            detail = detail | {"alert": alert and not (by_ai and self.policy.silent)}
        return {
            "study_id": event.study.id,
            "image_id": event.image.id if event.image is not None else None,
            "at": self.at,
            "action": event.action.value,
            "cause": event.cause.value,
            "detail": detail,
        }


def _arrivals(events: Iterable[DomainEvent]) -> Iterator[datetime]:
    """The moments at which the studies and images of events came in."""
    for event in events:
        yield event.study.received_at
        if event.image is not None:
            yield event.image.received_at


@contextmanager
def unit_of_work(
    database: Database,
    policy: LifecyclePolicy,
    notifier: TaskNotifier | None = None,
    at: datetime | None = None,
) -> Iterator[UnitOfWork]:
    """Open a transaction of the life cycle; committed at the end, rolled back on an error.

    notifier: wakes the workers after the commit; without one, they find the work in their sweep.
    at: the moment at which it happens; now, if it is not given.
    """
    with database.write() as session:
        unit = UnitOfWork(session, at or datetime.now(UTC), policy)
        yield unit
        tasks = unit.write()
    if notifier is not None:
        for task in tasks:
            notifier.notify(task)


@dataclass(frozen=True, slots=True)
class UnitOfWorkFactory:
    """Opens transactions of the life cycle. notifier: wakes the workers after each commit."""

    database: Database
    policy: LifecyclePolicy
    notifier: TaskNotifier

    def begin(self, at: datetime | None = None) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction. at: the moment at which it happens; now, if it is None."""
        return unit_of_work(self.database, self.policy, self.notifier, at)
