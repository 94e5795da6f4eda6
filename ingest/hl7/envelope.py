"""The header of a message: who sent it, and which it is. Pure."""

import hashlib
from dataclasses import dataclass

from ingest.hl7.segments import first, message_text, parsed, value
from readfirst.errors import MessageRefused

#: Most characters that are kept of a name in MSH.
MOST_NAME = 200
#: MSH-1 and MSH-2 as the standard recommends them (2.5.1, chapter 2.5.4).
USUAL_SEPARATORS = "|^~\\&"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The header of a message, as far as it can be read; empty where it says nothing.

    sender, receiver: application and facility. message_type: as `ORM^O01`. digest: sha256 of all
    that follows MSH, so that a message is the same at whatever time it is sent. separators: those
    of MSH-1 and MSH-2, in which the answer is written.
    """

    digest: str
    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    control_id: str = ""
    message_type: str = ""
    version: str = ""
    separators: str = USUAL_SEPARATORS

    @property
    def sender_name(self) -> str:
        """Application and facility of the sender in one text, as `RIS^HOSP`."""
        return "^".join(self.sender)


def read_envelope(raw: bytes) -> Envelope:
    """Read the header of whatever came in. Raises nothing: what is no message has no names."""
    header, _, body = message_text(raw).partition("\r")
    try:
        msh = first(parsed(header), "MSH")
    except MessageRefused:
        return Envelope(digest=hashlib.sha256(raw).hexdigest())

    def name(field: int, component: int = 1) -> str:
        text = (value(msh, field, component) or "")[:MOST_NAME]
        return "".join(letter for letter in text if letter.isprintable())

    return Envelope(
        digest=hashlib.sha256(body.encode()).hexdigest(),
        sender=(name(3), name(4)),
        receiver=(name(5), name(6)),
        control_id=name(10),
        message_type="^".join(filter(None, (name(9), name(9, 2)))),
        version=name(12),
        separators=_separators(header),
    )


def _separators(header: str) -> str:
    """MSH-1 and MSH-2; those of the standard where some are missing or stand there twice."""
    written = header[3:8]
    is_whole = len(set(written)) == len(USUAL_SEPARATORS)
    is_apart = not any(each.isalnum() or each.isspace() for each in written)
    return written if is_whole and is_apart else USUAL_SEPARATORS
