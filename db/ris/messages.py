"""Messages of the RIS: each is taken once, and what cannot be read is kept for a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session, defer

from db.tables import Hl7Message, OrderRow, Study
from readfirst.ris.codes import MessageCode

#: Most messages that are kept. Those beyond are refused, so that their sender keeps them.
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKey:
    """The identity of a message: who sent it, its control ID, and the digest of what it says.

    The digest is a part of it, since a sender whose control IDs begin anew would lose messages.
    """

    sender: str
    control_id: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message that was not taken: without what it says."""

    number: int
    received_at: datetime
    sender: str
    message_type: str
    control_id: str
    code: MessageCode
    reason: str
    #: A worker is about to try it again.
    retry_wanted: bool


def was_taken(session: Session, key: MessageKey) -> bool:
    """Tell whether this message has been taken already."""
    row = _row(session, key)
    return row is not None and row.taken_at is not None


def note_taken(session: Session, key: MessageKey, message_type: str, at: datetime) -> None:
    """Note that a message is taken; what was kept of it is kept no longer."""
    row = _row(session, key) or _new(session, key, message_type, at)
    row.taken_at, row.code, row.reason, row.content = at, None, None, None
    row.retry_wanted_at = None


def keep(
    session: Session,
    key: MessageKey,
    message_type: str,
    content: bytes,
    at: datetime,
    *,
    code: MessageCode,
    reason: str,
) -> bool:
    """Keep a message that was not taken. Returns False where there are too many already."""
    row = _row(session, key)
    if row is None:
        if kept_count(session) >= MOST_KEPT:
            return False
        row = _new(session, key, message_type, at)
    row.code, row.reason, row.content = code.value, reason, content
    row.retry_wanted_at = None
    return True


def kept_count(session: Session) -> int:
    """Count the messages that wait for a person."""
    query = select(func.count()).where(Hl7Message.code.is_not(None))
    return session.scalar(query) or 0


def kept_messages(session: Session, *, limit: int) -> list[KeptMessage]:
    """The messages that were not taken, the latest first."""
    query = (
        select(Hl7Message)
        .where(Hl7Message.code.is_not(None))
        .order_by(Hl7Message.id.desc())
        .limit(limit)
        .options(defer(Hl7Message.content))
    )
    return [
        KeptMessage(
            number=row.id,
            received_at=row.received_at,
            sender=row.sender,
            message_type=row.message_type,
            control_id=row.control_id,
            code=MessageCode(row.code or ""),
            reason=row.reason or "",
            retry_wanted=row.retry_wanted_at is not None,
        )
        for row in session.scalars(query)
    ]


def kept_content(session: Session, number: int) -> bytes | None:
    """The bytes of a message that was not taken; None if there is none of this number."""
    query = select(Hl7Message.content).where(Hl7Message.id == number, Hl7Message.code.is_not(None))
    return session.scalar(query)


def kept_numbers(session: Session) -> Sequence[int]:
    """The numbers of all messages that were not taken, the earliest first."""
    query = select(Hl7Message.id).where(Hl7Message.code.is_not(None)).order_by(Hl7Message.id)
    return session.scalars(query).all()


def want_retry(session: Session, number: int, at: datetime) -> bool:
    """Have a worker try a message again. Returns False if there is none of this number."""
    row = session.get(Hl7Message, number, with_for_update=True)
    if row is None or row.code is None:
        return False
    row.retry_wanted_at = row.retry_wanted_at or at
    return True


def next_wanted(session: Session) -> int | None:
    """The number of the message of which somebody wanted first that it be tried again."""
    query = select(Hl7Message.id).where(Hl7Message.retry_wanted_at.is_not(None))
    return session.scalar(query.order_by(Hl7Message.retry_wanted_at, Hl7Message.id).limit(1))


def drop(session: Session, number: int) -> bool:
    """Remove a message that was not taken. Returns False if there is none of this number."""
    row = session.get(Hl7Message, number)
    if row is None or row.code is None:
        return False
    session.delete(row)
    return True


def forget_messages(session: Session, before: datetime) -> int:
    """Remove messages that came before then, and orders of which no study ever came in.

    Returns how many of those messages had not been taken.
    """
    old = Hl7Message.received_at < before
    query = select(func.count()).where(old, Hl7Message.code.is_not(None))
    unread = session.scalar(query) or 0
    session.execute(delete(Hl7Message).where(old))
    has_study = exists().where(Study.accession_number == OrderRow.accession_number)
    session.execute(delete(OrderRow).where(OrderRow.changed_at < before, ~has_study))
    return unread


def _row(session: Session, key: MessageKey) -> Hl7Message | None:
    query = select(Hl7Message).where(
        Hl7Message.sender == key.sender,
        Hl7Message.control_id == key.control_id,
        Hl7Message.digest == key.digest,
    )
    return session.scalar(query.with_for_update())


def _new(session: Session, key: MessageKey, message_type: str, at: datetime) -> Hl7Message:
    row = Hl7Message(
        sender=key.sender,
        control_id=key.control_id,
        digest=key.digest,
        message_type=message_type,
        received_at=at,
    )
    session.add(row)
    return row
