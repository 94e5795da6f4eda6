"""Changes of destinations, each with its line in the audit log. The caller owns the transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.destinations.queries import row_of
from db.destinations.records import DestinationRecord, record_of
from db.tables import Destination, OutgoingResult
from readfirst.destinations.forms import Form, Studies
from readfirst.destinations.states import SendingState
from readfirst.errors import Conflict, Misconfigured

STILL_WAITING = (
    "{} results wait for {}, and would never be sent. Send them first, or say that they are to be "
    "dropped (--drop)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationInput:
    """A destination as somebody wants it. address: as its kind has checked it."""

    kind: str
    address: dict[str, Any]
    forms: tuple[Form, ...]
    studies: Studies = Studies.FLAGGED
    rule: dict[str, list[str]] = field(default_factory=dict)


def add_destination(
    session: Session, actor: Actor, name: str, wanted: DestinationInput, at: datetime, **detail: Any
) -> DestinationRecord:
    """Add a destination, which gets results from now on. Raises Misconfigured for a taken name."""
    if session.scalar(select(Destination.id).where(Destination.name == name)) is not None:
        raise Misconfigured(f"There is a destination {name} already. `change` changes it.")
    row = Destination(name=name, enabled=True)
    _fill(row, actor, wanted, at, detail)
    session.add(row)
    session.flush()
    _note(session, actor, AuditAction.DESTINATION_ADDED, row, at, detail)
    return record_of(row)


def change_destination(
    session: Session, actor: Actor, name: str, wanted: DestinationInput, at: datetime, **detail: Any
) -> DestinationRecord:
    """Change where results go, which, and of which studies. Raises NotThere.

    What waits is sent to the new address. A form that the destination does not get any more is not
    sent to it.
    """
    row = _locked(session, name)
    _fill(row, actor, wanted, at, detail)
    forms = [form.value for form in wanted.forms]
    session.execute(
        delete(OutgoingResult).where(
            OutgoingResult.destination_id == row.id,
            OutgoingResult.state == SendingState.WAITING,
            OutgoingResult.form.not_in(forms),
        )
    )
    _note(session, actor, AuditAction.DESTINATION_CHANGED, row, at, detail)
    return record_of(row)


def switch_destination(
    session: Session, actor: Actor, name: str, at: datetime, *, enabled: bool, **detail: Any
) -> DestinationRecord:
    """Let a destination get results, or none. What waits for it stays so. Raises NotThere."""
    row = _locked(session, name)
    if row.enabled != enabled:
        row.enabled, row.changed_at, row.changed_by = enabled, at, _name(actor, detail)
        row.rests_until = None
        action = AuditAction.DESTINATION_ENABLED if enabled else AuditAction.DESTINATION_DISABLED
        _note(session, actor, action, row, at, detail)
    return record_of(row)


def remove_destination(
    session: Session, actor: Actor, name: str, at: datetime, *, drop: bool, **detail: Any
) -> None:
    """Remove a destination with what waits for it. What was sent stays in the audit log.

    drop: although results wait for it. Raises NotThere, and Conflict where some wait.
    """
    row = _locked(session, name)
    of_row = OutgoingResult.destination_id == row.id
    waiting = session.scalar(
        select(func.count()).where(of_row, OutgoingResult.state == SendingState.WAITING)
    )
    if waiting and not drop:
        raise Conflict(STILL_WAITING.format(waiting, name))
    _note(session, actor, AuditAction.DESTINATION_REMOVED, row, at, detail | {"dropped": waiting})
    session.execute(delete(OutgoingResult).where(of_row))
    session.delete(row)
    session.flush()


def _locked(session: Session, name: str) -> Destination:
    return row_of(session, select(Destination).with_for_update(key_share=True), name)


def _fill(
    row: Destination,
    actor: Actor,
    wanted: DestinationInput,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    row.kind, row.address, row.studies = wanted.kind, wanted.address, wanted.studies
    row.forms, row.rule = [form.value for form in wanted.forms], wanted.rule
    row.changed_at, row.changed_by = at, _name(actor, detail)
    row.rests_until = None


def _name(actor: Actor, detail: dict[str, Any]) -> str | None:
    return actor.account or detail.get("by")


def _note(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: Destination,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    """The address is no patient's data, and holds no password."""
    facts: dict[str, Any] = {
        "destination": row.name,
        "kind": row.kind,
        "address": row.address,
        "forms": row.forms,
        "studies": row.studies.value,
        "rule": row.rule,
    }
    note(session, actor, action, at, **facts, **detail)
