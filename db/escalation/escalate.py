"""Studies that have been urgent and unread for too long are escalated, each once.

Nothing of the study changes: neither its flag nor its place in the order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.outbox import Channel, enqueue_escalation
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Escalation, Event, Study
from db.worklist.filters import WorklistFilter, conditions
from readfirst.domain import Urgency
from readfirst.settings import Settings

#: Studies of one batch, of which one message tells; the others come in the next.
MOST_OF_BATCH = 500
#: Between two batches, so that a clock that jumps makes one message, and not many.
PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPolicy:
    """The site's rule. after: unread for so long. stat, flagged: which studies it is about."""

    after: timedelta
    stat: bool
    flagged: bool
    channels: tuple[Channel, ...]


def escalation_policy(settings: Settings) -> EscalationPolicy | None:
    """The rule that a site's settings state; None if nothing is escalated."""
    if settings.escalate_after_minutes is None:
        return None
    studies, ways = settings.escalate_studies, settings.escalate_by
    return EscalationPolicy(
        after=timedelta(minutes=settings.escalate_after_minutes),
        stat=studies in ("stat", "both"),
        flagged=studies in ("flagged", "both") and not settings.is_silent,
        channels=tuple(channel for channel in Channel if ways in (channel.value, "both")),
    )


def escalate_due(unit: UnitOfWork, policy: EscalationPolicy) -> int:
    """Escalate the studies whose time has come, and enqueue one message for all. Counts them.

    Raises IntegrityError where another worker escalates the same ones at this moment.
    """
    last = unit.session.scalar(select(func.max(Escalation.at)))
    if last is not None and abs(unit.at - last) < PAUSE:
        return 0
    studies = _due(unit.session, policy, unit.at - policy.after)
    batch = uuid4().hex
    for study in studies:
        unit.session.add(Escalation(study_id=study.id, batch=batch, at=unit.at, stat=study.stat))
        unit.add(
            DomainEvent(
                action=EventAction.ESCALATED,
                study=study,
                cause=Cause.WAITING,
                detail={"after_minutes": round(policy.after.total_seconds() / 60)},
            )
        )
    if studies:
        for channel in policy.channels:
            enqueue_escalation(unit.session, batch, channel, unit.at)
    return len(studies)


def _due(session: Session, policy: EscalationPolicy, before: datetime) -> list[Study]:
    """The most urgent unread studies that have been urgent since then. They are locked."""
    is_stat = and_(
        Study.urgency == Urgency.STAT, _nothing_since(before, EventAction.RAISED_TO_STAT)
    )
    is_flagged = and_(Study.flagged, _nothing_since(before, EventAction.FLAGGED))
    query = (
        select(Study)
        .where(
            *conditions(WorklistFilter(unread=True)),
            Study.received_at <= before,
            ~select(Escalation.id).where(Escalation.study_id == Study.id).exists(),
            _nothing_since(before, EventAction.UNREAD),
            _nothing_since(before, EventAction.NO_PRIOR),
            or_(is_stat if policy.stat else false(), is_flagged if policy.flagged else false()),
        )
        .order_by(Study.urgency, Study.reading_key, Study.id)
        .limit(MOST_OF_BATCH)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return list(session.scalars(query))


def _nothing_since(before: datetime, action: EventAction) -> ColumnElement[bool]:
    """Studies to which this has not happened of late."""
    late = select(Event.id).where(
        Event.study_id == Study.id, Event.action == action.value, Event.at > before
    )
    return ~late.exists()
