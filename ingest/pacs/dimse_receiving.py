"""Films that come by C-GET: on disk in the inbox, before they are answered (PS3.4 C.4.3.2)."""

from collections.abc import Callable
from io import BytesIO
from typing import cast

import structlog
from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE

from ingest.inbox.inbox_writer import IncomingFile
from ingest.receivers.spool import (
    CANNOT_UNDERSTAND,
    OUT_OF_RESOURCES,
    STORED,
    Spool,
    SpoolingProvider,
)

log = structlog.get_logger()
#: Longest data set that is no film, as an answer to C-FIND (bytes).
LONGEST_ANSWER = 1024 * 1024


class ReceivingProvider(SpoolingProvider):
    """Receives films on disk, as the listener does, and answers in memory."""

    _was_full = False

    def note_status(self, status: int, received: int) -> None:
        """Remember that a film of so many bytes was not kept for want of room."""
        is_too_long = received > self._most_bytes
        self._was_full |= status == OUT_OF_RESOURCES and not is_too_long

    def take_fullness(self) -> bool:
        """Tell whether a film could not be kept since this was called last."""
        was_full, self._was_full = self._was_full, False
        return was_full

    def _new_message(self) -> DIMSEMessage:
        message = DIMSEMessage()
        message.data_set = _DataSet(message, lambda: self._begin(message), self._most_bytes)
        return message


class _DataSet(Spool):
    """A film goes to disk; an answer, which is small, stays in memory."""

    def __init__(
        self,
        message: DIMSEMessage,
        begin: Callable[[], IncomingFile | None],
        most_bytes: int,
    ) -> None:
        super().__init__(begin, most_bytes)
        self._message = message

    def write(self, content: object) -> int:
        """Add bytes of the data set."""
        if isinstance(self._message, C_STORE_RQ):
            return super().write(content)
        fragment = bytes(cast(bytes, content))
        if self.tell() + len(fragment) > LONGEST_ANSWER:
            raise OSError("an answer of more bytes than any should have")
        return BytesIO.write(self, fragment)


def store(event: evt.Event) -> int:
    """C-STORE of a C-GET: the file is in the inbox, on disk, before this is answered."""
    request = cast(C_STORE, event.request)
    spool = request.DataSet
    status = spool.deliver() if isinstance(spool, Spool) else CANNOT_UNDERSTAND
    provider = event.assoc.dimse
    if isinstance(provider, ReceivingProvider) and isinstance(spool, Spool):
        provider.note_status(status, spool.received)
    say = log.info if status == STORED else log.warning
    say(
        "fetched_image" if status == STORED else "image_not_fetched",
        action="fetch",
        status=f"{status:#06x}",
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
    )
    return status
