"""Messages that could not be read are tried again, as after a setting was changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from db.ris.messages import kept_content, next_wanted
from worker.ris.take_message import RisServices, try_message_again

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TriedMessage:
    """The result for one message. reason: why it is kept still; None: it is taken."""

    number: int
    reason: str | None


def retry(services: RisServices, numbers: Iterable[int]) -> Iterator[TriedMessage]:
    """Try messages again, each in a transaction of its own, and leave out those not kept."""
    for number in numbers:
        with services.units.database.read() as session:
            content = kept_content(session, number)
        if content is None:
            continue
        refused = try_message_again(services, content, datetime.now(UTC))
        yield TriedMessage(number, refused.reason if refused else None)


def retry_next_wanted_message(services: RisServices) -> bool:
    """Try the next message again of which somebody wants it. Returns False where none is wanted."""
    with services.units.database.read() as session:
        number = next_wanted(session)
    if number is None:
        return False
    for tried in retry(services, [number]):
        log.info("message_retried", action="hl7", message=number, taken=tried.reason is None)
    return True
