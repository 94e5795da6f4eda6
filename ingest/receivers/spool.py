"""Data sets on their way from the network to the inbox: to disk as they come, never in memory."""

import time
from collections.abc import Callable
from io import BytesIO
from typing import cast

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, N_EVENT_REPORT_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

from ingest.dicom.attributes import is_uid
from ingest.inbox.inbox_writer import InboxWriter, IncomingFile
from readfirst.errors import Unavailable

#: PS3.4 B.2.3: what a C-STORE is answered with.
STORED, OUT_OF_RESOURCES, CANNOT_UNDERSTAND, CANNOT_WRITE = 0x0000, 0xA700, 0xC000, 0xC001
#: No command set is longer (bytes); PS3.7 9.3.1 has 13 short elements.
LONGEST_COMMAND = 64 * 1024
#: Nor is an answer of storage commitment: it names thousands of objects by then (bytes).
LONGEST_REPORT = 1024 * 1024
#: The implementation that writes these files (PS3.10 7.1), a UID made from a UUID (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = UID("2.25.38316116926292775726754685440031592789")
IMPLEMENTATION_VERSION_NAME = "READFIRST"


class Spool(BytesIO):
    """Stands where the network library keeps a data set in memory, and writes it to disk.

    What cannot be kept is read on and thrown away, so that the sender gets a status. A report,
    which is short and no file, stays in memory.
    """

    def __init__(
        self,
        begin: Callable[[], IncomingFile | None],
        most_bytes: int,
        is_report: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._begin = begin
        self._is_report = is_report
        self._most_bytes = most_bytes
        self._begun = False
        self._incoming_file: IncomingFile | None = None
        self._received = 0
        #: Why nothing is kept, as a C-STORE status; STORED while all is well.
        self.status = STORED

    def write(self, content: object) -> int:
        """Add bytes of the data set."""
        fragment = bytes(cast(bytes, content))
        self._received += len(fragment)
        if self._is_report():
            if self._received <= LONGEST_REPORT:
                super().write(fragment)
            return len(fragment)
        if self.status == STORED and self._received > self._most_bytes:
            self._fail(OUT_OF_RESOURCES)
        if self.status == STORED:
            self._write(fragment)
        return len(fragment)

    def deliver(self) -> int:
        """Put the file into the inbox, on disk to stay. Returns the C-STORE status."""
        if self.status == STORED and self._incoming_file is None:
            self.status = CANNOT_UNDERSTAND
        if self.status == STORED and self._incoming_file is not None:
            try:
                self._incoming_file.deliver()
            except Unavailable:
                self._fail(OUT_OF_RESOURCES)
            except (OSError, ValueError):
                # ValueError: it was closed, as the association ended meanwhile.
                self._fail(CANNOT_WRITE)
        return self.status

    @property
    def received(self) -> int:
        """The number of bytes of the data set that came."""
        return self._received

    def discard(self) -> None:
        """Forget what came, unless it has been delivered."""
        if self._incoming_file is not None:
            self._incoming_file.discard()

    def _write(self, fragment: bytes) -> None:
        try:
            if not self._begun:
                self._begun, self._incoming_file = True, self._begin()
            if self._incoming_file is None:
                self._fail(CANNOT_UNDERSTAND)
            else:
                self._incoming_file.write(fragment)
        except Unavailable:
            self._fail(OUT_OF_RESOURCES)
        except OSError:
            self._fail(CANNOT_WRITE)

    def _fail(self, status: int) -> None:
        self.status = status
        self.discard()


class SpoolingProvider(DIMSEServiceProvider):
    """Receives DIMSE messages with their data sets on disk."""

    def __init__(
        self, association: Association, inbox_writer: InboxWriter, most_bytes: int
    ) -> None:
        super().__init__(association)
        self._inbox_writer = inbox_writer
        self._most_bytes = most_bytes
        #: When its latest PDU of data was whole, as `time.monotonic` gives it.
        self.quiet_since = time.monotonic()

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the next fragments of a message."""
        self.quiet_since = time.monotonic()
        if self.message is None:
            self.message = self._new_message()
        if self.message.encoded_command_set.tell() > LONGEST_COMMAND:
            # As the library ends an association whose message makes no sense.
            self.dul.event_queue.put("Evt19")
            return
        super().receive_primitive(primitive)

    def discard_rest(self) -> None:
        """Forget what was not answered, once the association has ended."""
        if self.message is not None and isinstance(self.message.data_set, Spool):
            self.message.data_set.discard()
        while not self.msg_queue.empty():
            _, waiting = self.get_msg()
            if isinstance(waiting, C_STORE) and isinstance(waiting.DataSet, Spool):
                waiting.DataSet.discard()

    def _new_message(self) -> DIMSEMessage:
        message = DIMSEMessage()
        message.data_set = Spool(
            lambda: self._begin(message),
            self._most_bytes,
            lambda: isinstance(message, N_EVENT_REPORT_RQ),
        )
        return message

    def _begin(self, message: DIMSEMessage) -> IncomingFile | None:
        """Open the file of a C-STORE; None for another message or one that names no object."""
        meta = self._file_meta(message)
        if meta is None:
            return None
        incoming_file = self._inbox_writer.open()
        incoming_file.write(b"\0" * 128 + b"DICM" + meta)
        return incoming_file

    def _file_meta(self, message: DIMSEMessage) -> bytes | None:
        accepted = {context.context_id: context for context in self.assoc.accepted_contexts}
        if not isinstance(message, C_STORE_RQ) or message.context_id not in accepted:
            return None
        command = message.command_set
        sop_class_uid = str(command.get("AffectedSOPClassUID", ""))
        sop_instance_uid = str(command.get("AffectedSOPInstanceUID", ""))
        if not (is_uid(sop_class_uid) and is_uid(sop_instance_uid)):
            return None
        return file_meta(
            sop_class_uid,
            sop_instance_uid,
            accepted[message.context_id].transfer_syntax[0],
            self.assoc.requestor.ae_title,
        )


def file_meta(
    sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, calling: str
) -> bytes:
    """File Meta Information (PS3.10 7.1), encoded. calling: the sender's AE title."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    meta.SourceApplicationEntityTitle = calling
    encoded = BytesIO()
    write_file_meta_info(DicomFileLike(encoded), meta, enforce_standard=True)
    return encoded.getvalue()
