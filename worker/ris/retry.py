"""Messages that could not be read are tried again, as after a setting was changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from db.ris.messages import kept_content
from worker.ris.take_message import RisServices, try_message_again


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
