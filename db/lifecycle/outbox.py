"""The outbox: who hears of a flagged study, and what is delivered to other systems and to people.

A row is written in the transaction that flags the study, so none is lost and none is invented. It
is delivered at least once; its key lets the receiver know a repetition.

The rule of who is told stands here once: of live results, and of studies that nobody has read yet;
never of a prior. It decides for webhooks, for the alert of the page, and for the heat maps that
nobody asked for. So a promotion tells nobody of studies that were read long ago.

Escalations (`db.escalation`) are delivered by the same table, one message for all of one moment.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from db.lifecycle import lease
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.lease import Lease, LeasePolicy
from db.nights.records import NightRecord, find_night
from db.nights.report import night_report
from db.study_conditions import is_unread
from db.tables import EnsembleVersion, Escalation, OutboxMessage, Study


class Channel(StrEnum):
    """The ways on which messages leave. Their values are stored."""

    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMessage:
    """A message that this worker is to deliver now."""

    lease: Lease
    key: str
    study_instance_uid: str
    ensemble_version: str
    probability: float
    #: Share of pneumonia that the probability presupposes; None if nobody knows.
    presupposed: float | None
    received_at: datetime
    flagged_at: datetime
    #: This one included.
    attempts: int
    #: No file brings the UID, so the receiver cannot find the study by it.
    study_instance_uid_made_here: bool = False
    channel: Channel = Channel.WEBHOOK

    @property
    def since(self) -> datetime:
        """When what it tells of happened."""
        return self.flagged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalatedStudy:
    """A study that nobody has read in time. stat: as it was then; else it was flagged."""

    study_instance_uid: str
    stat: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEscalation:
    """A message of escalated studies that this worker is to deliver now.

    studies: those that are still unread and not acknowledged, the most urgent first.
    """

    lease: Lease
    key: str
    channel: Channel
    since: datetime
    #: This one included.
    attempts: int
    studies: tuple[EscalatedStudy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNight:
    """A message of what a night changed, as counts, that this worker is to deliver now.

    unread_flagged: newly flagged studies that are unread now. second_look: read ones that changed
    much.
    """

    lease: Lease
    key: str
    channel: Channel
    since: datetime
    #: This one included.
    attempts: int
    night: NightRecord
    flagged: int
    unread_flagged: int
    withdrawn: int
    second_look: int


Due = DueMessage | DueEscalation | DueNight


def is_told(event: DomainEvent) -> bool:
    """Tell whether people and other systems hear of a study that is flagged now."""
    return event.action is EventAction.FLAGGED and is_news(event)


def is_news(event: DomainEvent) -> bool:
    """Tell whether what the AI says now is of use to anybody, who may not have read the study."""
    if event.study.prior_since is not None:
        return False
    return event.cause is Cause.LIVE or event.study.read_at is None


def alerts_people(event: DomainEvent) -> bool | None:
    """Tell whether pages alert of an event; None for kinds of which none ever does.

    They alert of a study that is flagged or STAT: as it comes in, or when it becomes so. Never of a
    prior.
    """
    study = event.study
    if event.action is EventAction.FLAGGED:
        return is_told(event)
    comes_as_stat = event.action is EventAction.RECEIVED and event.detail.get("stat")
    if comes_as_stat or event.action is EventAction.RAISED_TO_STAT:
        return study.read_at is None and study.prior_since is None
    return None


def enqueue_webhook(session: Session, event: DomainEvent, at: datetime) -> None:
    """Add the message that a study is flagged, with the score that decided it."""
    if event.score is None:
        raise ValueError(f"{event.action} without the score that it is about")
    session.add(
        OutboxMessage(
            key=uuid4().hex,
            study_id=event.study.id,
            ensemble_version=event.score.ensemble_version,
            probability=event.score.probability,
            flagged_at=at,
            lease_until=at,
        )
    )


def enqueue_escalation(session: Session, batch: str, channel: Channel, at: datetime) -> None:
    """Add the message of the studies that are escalated in one batch."""
    session.add(
        OutboxMessage(
            key=uuid4().hex, channel=channel.value, batch=batch, flagged_at=at, lease_until=at
        )
    )


def enqueue_night(session: Session, night_id: int, at: datetime) -> None:
    """Add the mail of what a night changed."""
    session.add(
        OutboxMessage(
            key=uuid4().hex,
            channel=Channel.MAIL.value,
            night_id=night_id,
            flagged_at=at,
            lease_until=at,
        )
    )


def claim_due(
    session: Session,
    now: datetime,
    policy: LeasePolicy,
    channels: Collection[Channel] = (Channel.WEBHOOK,),
    second_look: float = 1.0,
) -> Due | None:
    """Take the oldest message whose time has come; it is nobody else's during the lease.

    channels: those that this site has. second_look: as in `db.nights.report`.
    """
    query = (
        select(OutboxMessage)
        .where(_waiting(), _of(channels), lease.is_free(OutboxMessage, now))
        .order_by(OutboxMessage.lease_until, OutboxMessage.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    row = session.scalar(query)
    if row is None:
        return None
    (row_lease,) = lease.take([row], now, policy)
    if row.night_id is not None:
        return _of_night(session, row, row_lease, second_look)
    if row.batch is not None:
        return DueEscalation(
            lease=row_lease,
            key=row.key,
            channel=Channel(row.channel),
            since=row.flagged_at,
            attempts=row.attempts,
            studies=_escalated(session, row.batch),
        )
    return _flagged(session, row, row_lease)


def _of_night(
    session: Session, row: OutboxMessage, row_lease: Lease, second_look: float
) -> DueNight:
    night = find_night(session, row.night_id or 0)
    if night is None:
        raise ValueError(f"the message {row.key} is of no night")
    report = night_report(session, night, second_look)
    return DueNight(
        lease=row_lease,
        key=row.key,
        channel=Channel(row.channel),
        since=row.flagged_at,
        attempts=row.attempts,
        night=night,
        flagged=report.counts.newly_flagged,
        unread_flagged=report.unread_flagged,
        withdrawn=report.counts.withdrawn,
        second_look=report.counts.second_look,
    )


def _flagged(session: Session, row: OutboxMessage, row_lease: Lease) -> DueMessage:
    if row.study_id is None or row.ensemble_version is None or row.probability is None:
        raise ValueError(f"the message {row.key} is of nothing")
    study = session.get_one(Study, row.study_id)
    ensemble = session.get_one(EnsembleVersion, row.ensemble_version)
    return DueMessage(
        lease=row_lease,
        key=row.key,
        study_instance_uid=study.study_instance_uid,
        ensemble_version=row.ensemble_version,
        probability=row.probability,
        presupposed=ensemble.prevalence,
        received_at=study.received_at,
        flagged_at=row.flagged_at,
        attempts=row.attempts,
        study_instance_uid_made_here=study.study_instance_uid_made_here,
    )


def _escalated(session: Session, batch: str) -> tuple[EscalatedStudy, ...]:
    """What is still to be told: meanwhile a study may have been read, or acknowledged."""
    query = (
        select(Study.study_instance_uid, Escalation.stat, Study.received_at)
        .join(Escalation, Escalation.study_id == Study.id)
        .where(
            Escalation.batch == batch,
            Escalation.acknowledged_at.is_(None),
            is_unread(),
        )
        .order_by(Escalation.id)
    )
    return tuple(
        EscalatedStudy(study_instance_uid=uid, stat=stat, received_at=received_at)
        for uid, stat, received_at in session.execute(query)
    )


def delivered(session: Session, due: Due, at: datetime) -> None:
    """The receiver has it. Said even by a worker that lost its lease: it did deliver."""
    row = session.get_one(OutboxMessage, due.lease.row_id, with_for_update={"key_share": True})
    row.delivered_at, row.last_error = row.delivered_at or at, None
    lease.let_go(row)


def not_delivered(
    session: Session,
    due: Due,
    error: str,
    at: datetime,
    policy: LeasePolicy,
) -> None:
    """Note that it was not taken, and let it be tried again after a pause."""
    row = lease.leased_row(session, OutboxMessage, due.lease)
    if row is not None:
        row.last_error = error
        lease.pause(row, at, policy)


def give_up(session: Session, due: Due, error: str, at: datetime) -> None:
    """Note that it was not taken, and try it no more."""
    row = lease.leased_row(session, OutboxMessage, due.lease)
    if row is not None:
        row.last_error, row.given_up_at = error, at
        lease.let_go(row)


def defer_all(session: Session, until: datetime, channel: Channel = Channel.WEBHOOK) -> None:
    """Try no other of this channel before then: the receiver itself does not answer."""
    session.execute(
        update(OutboxMessage)
        .where(_waiting(), _of([channel]), OutboxMessage.lease_until < until)
        .values(lease_until=until)
    )


def is_any_due(session: Session, now: datetime, channels: Collection[Channel]) -> bool:
    """Tell whether there is something to deliver by these channels."""
    query = select(OutboxMessage.id).where(
        _waiting(), _of(channels), lease.is_free(OutboxMessage, now)
    )
    return session.scalar(query.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """Numbers of messages: those that wait, with the time of the oldest, and those given up.

    last_error: of those that wait, the latest; None if none has failed.
    """

    waiting: int
    oldest: datetime | None
    given_up: int
    last_error: str | None = None


def outbox_counts(session: Session, channel: Channel = Channel.WEBHOOK) -> OutboxCounts:
    """Count the messages of a channel that wait, and those that were given up."""
    of_channel = _of([channel])
    waiting = select(func.count(), func.min(OutboxMessage.flagged_at)).where(_waiting(), of_channel)
    number, oldest = session.execute(waiting).one()
    given_up = select(func.count()).where(OutboxMessage.given_up_at.is_not(None), of_channel)
    failed = (
        select(OutboxMessage.last_error)
        .where(_waiting(), of_channel, OutboxMessage.last_error.is_not(None))
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )
    return OutboxCounts(number, oldest, session.scalar(given_up) or 0, session.scalar(failed))


def _of(channels: Collection[Channel]) -> ColumnElement[bool]:
    return OutboxMessage.channel.in_([channel.value for channel in channels])


def _waiting() -> ColumnElement[bool]:
    """Neither delivered nor given up."""
    return OutboxMessage.delivered_at.is_(None) & OutboxMessage.given_up_at.is_(None)
