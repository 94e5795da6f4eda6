"""Somebody acknowledges an escalation: it is noted who and when, and nobody is told again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.access import audit
from db.access.audit import Actor
from db.disclosures import OfStudy
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Escalation, Study
from readfirst.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRecord(OfStudy):
    """The escalation of a study."""

    study_instance_uid: str
    #: When it was escalated.
    at: datetime
    #: It was STAT then; else it was flagged.
    stat: bool
    #: Null until somebody acknowledges it.
    acknowledged_at: datetime | None
    #: The account; null where nobody has to log in.
    acknowledged_by: str | None


def escalation_of(session: Session, study_instance_uid: str) -> EscalationRecord | None:
    """The escalation of a study; None if it was not escalated."""
    row = session.scalar(_query(study_instance_uid))
    return _record(study_instance_uid, row) if row is not None else None


def acknowledge(unit: UnitOfWork, study_instance_uid: str, by: Actor) -> EscalationRecord:
    """Note who knows of it. Whoever was first stays. Raises Conflict if it was not escalated."""
    row = unit.session.scalar(_query(study_instance_uid).with_for_update(of=Escalation))
    if row is None:
        raise Conflict("This study was not escalated, so there is nothing to acknowledge.")
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = unit.at, by.account
        study = unit.session.get_one(Study, row.study_id)
        detail = {"by": by.account} if by.account else {}
        unit.add(
            DomainEvent(
                action=EventAction.ACKNOWLEDGED, study=study, cause=Cause.READER, detail=detail
            )
        )
        audit.note(
            unit.session,
            by,
            audit.AuditAction.ESCALATION_ACKNOWLEDGED,
            unit.at,
            study_instance_uid=study_instance_uid,
        )
    return _record(study_instance_uid, row)


def _query(study_instance_uid: str) -> Select[Escalation]:
    return (
        select(Escalation)
        .join(Study, Escalation.study_id == Study.id)
        .where(Study.study_instance_uid == study_instance_uid)
    )


def _record(study_instance_uid: str, row: Escalation) -> EscalationRecord:
    return EscalationRecord(
        study_instance_uid=study_instance_uid,
        at=row.at,
        stat=row.stat,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
