"""A message comes in: what it says is written in one transaction, and then it is answered."""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from db.lifecycle.ris.orders import take_order
from db.lifecycle.ris.patients import take_merge, take_update
from db.lifecycle.ris.reports import take_report
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.ris.messages import MessageKey, keep, note_taken, was_taken
from ingest.hl7.answers import ACCEPTED, Ack, AckCode, ack_message, refusal
from ingest.hl7.contents import read_contents
from ingest.hl7.envelope import Envelope, read_envelope
from ingest.hl7.orders import OrderRules
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import (
    Content,
    ImagingOrder,
    ImagingReport,
    PatientMerge,
    PatientUpdate,
)

log = structlog.get_logger()
#: Said where nothing could be written: the sender has the message still.
NOT_NOW = Ack(AckCode.ERROR, "ReadFirst cannot write it at the moment: send it again.")
TOO_MANY = Ack(
    AckCode.ERROR,
    "Too many messages that could not be read are kept already: see `readfirst hl7 list`.",
)
#: Attempts at a message that another connection takes at the same moment.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class RisServices:
    """The needs of taking a message. rules: how the site's messages are read."""

    units: UnitOfWorkFactory
    rules: OrderRules


def take_message(services: RisServices, raw: bytes, is_whole: bool = True) -> bytes:
    """Take a message, and return the answer, once all of it is committed.

    What cannot be read is kept, and answered with the reason. is_whole: False for the beginning of
    one that is too large. Raises nothing: whatever came in is answered.
    """
    at = datetime.now(UTC)
    envelope = read_envelope(raw)
    if is_whole:
        answer = _answer(services, envelope, raw, at)
    else:
        too_large = MessageRefused(MessageCode.TOO_LARGE)
        answer = refusal(too_large.code, too_large.reason)
    log.info(
        "message_answered",
        action="hl7",
        message_type=envelope.message_type,
        answer=answer.code.value,
        reason=answer.text or None,
    )
    return ack_message(envelope, answer, at)


def try_message_again(
    services: RisServices, raw: bytes, received_at: datetime
) -> MessageRefused | None:
    """Try a message that was kept. Returns why it is kept still; None: it is taken.

    Raises SQLAlchemyError where the database does not answer.
    """
    envelope = read_envelope(raw)
    try:
        _take(services, envelope, raw, received_at)
    except MessageRefused as refused:
        _keep(services, envelope, raw, received_at, refused)
        return refused
    return None


def _answer(services: RisServices, envelope: Envelope, raw: bytes, at: datetime) -> Ack:
    try:
        try:
            _take(services, envelope, raw, at)
        except MessageRefused as refused:
            if not _keep(services, envelope, raw, at, refused):
                return TOO_MANY
            return refusal(refused.code, refused.reason)
    except SQLAlchemyError as error:
        log.error("message_not_written", action="hl7", error=type(error).__name__)
        return NOT_NOW
    return ACCEPTED


def _take(services: RisServices, envelope: Envelope, raw: bytes, at: datetime) -> None:
    """Write what a message says. Raises MessageRefused, after which nothing of it is written."""
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            with services.units.begin(at) as unit:
                _write(unit, services.rules, envelope, raw)
            return
        except IntegrityError:
            # Another connection has taken the same message at the same moment.
            if not attempts_left:
                raise
        except (MessageRefused, SQLAlchemyError):
            raise
        except Exception as error:
            # Of a fault in ReadFirst the sender must hear, and the message must not be lost.
            log.exception("message_failed", action="hl7", message_type=envelope.message_type)
            raise MessageRefused(MessageCode.PROCESSING_FAILED) from error


def _write(unit: UnitOfWork, rules: OrderRules, envelope: Envelope, raw: bytes) -> None:
    key = _key(envelope)
    if was_taken(unit.session, key):
        return
    for content in read_contents(raw, rules):
        _write_content(unit, content)
    note_taken(unit.session, key, envelope.message_type, unit.at)


def _write_content(unit: UnitOfWork, content: Content) -> None:
    match content:
        case ImagingOrder():
            take_order(unit, content)
        case ImagingReport():
            take_report(unit, content)
        case PatientUpdate():
            take_update(unit, content)
        case PatientMerge():
            take_merge(unit, content)


def _keep(
    services: RisServices, envelope: Envelope, raw: bytes, at: datetime, refused: MessageRefused
) -> bool:
    with services.units.database.write() as session:
        return keep(
            session,
            _key(envelope),
            envelope.message_type,
            raw,
            at,
            code=refused.code,
            reason=refused.reason,
        )


def _key(envelope: Envelope) -> MessageKey:
    return MessageKey(
        sender=envelope.sender_name, control_id=envelope.control_id, digest=envelope.digest
    )
