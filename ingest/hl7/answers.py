"""The answer to a message (ACK; HL7 2.5.1, chapter 2.9), in original mode. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from ingest.hl7.envelope import Envelope
from readfirst.ris.codes import REJECTED, MessageCode

#: What ReadFirst calls itself where the message does not name its receiver.
APPLICATION = "READFIRST"
#: ERR-3, HL7 table 0357.
NOT_SUPPORTED = ("200", "Unsupported message type", "HL70357")
INTERNAL_ERROR = ("207", "Application internal error", "HL70357")


class AckCode(StrEnum):
    """MSA-1 (HL7 table 0008): accepted; wrong, or not now; not to be sent again as it is."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to a message. text: why it was not taken, without a patient's data."""

    code: AckCode
    text: str = ""
    is_supported: bool = True


ACCEPTED = Ack(AckCode.ACCEPTED)


def refusal(code: MessageCode, text: str) -> Ack:
    """The answer to a message that was not taken."""
    answer = AckCode.REJECTED if code in REJECTED else AckCode.ERROR
    return Ack(answer, text, is_supported=code is not MessageCode.MESSAGE_TYPE_NOT_USED)


def ack_message(envelope: Envelope, answer: Ack, at: datetime) -> bytes:
    """The message that answers, in the separators and the version of the one that came in."""
    field, component = envelope.separators[0], envelope.separators[1]

    def escaped(text: str) -> str:
        return _escaped(text, envelope.separators)

    event = envelope.message_type.partition("^")[2]
    names = (*envelope.receiver, *envelope.sender)
    sent_by, *others = map(escaped, names)
    header = (
        *("MSH", envelope.separators[1:], sent_by or APPLICATION, *others),
        *(f"{at:%Y%m%d%H%M%S}+0000", ""),
        component.join(("ACK", escaped(event), "ACK")) if event else "ACK",
        *(uuid4().hex[:20], "P", escaped(envelope.version) or "2.5.1", *[""] * 5),
        "UNICODE UTF-8",
    )
    text = escaped(answer.text)
    control_id = escaped(envelope.control_id)
    segments = [header, ("MSA", answer.code, control_id, *filter(None, [text]))]
    if answer.text:
        error = INTERNAL_ERROR if answer.is_supported else NOT_SUPPORTED
        segments.append(("ERR", "", "", component.join(error), "E", *[""] * 3, text))
    return "".join(f"{field.join(segment)}\r" for segment in segments).encode()


def _escaped(text: str, separators: str) -> str:
    """A value as it stands in a message (2.5.1, chapter 2.7)."""
    escape, names = separators[3], dict(zip(separators, "FSRET", strict=True))
    return "".join(
        f"{escape}{names[letter]}{escape}" if letter in names else letter
        for letter in text
        if letter.isprintable()
    )
