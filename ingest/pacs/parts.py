"""The films of a WADO-RS answer (PS3.18 10.4.3, RFC 2046 5.1): into the inbox as they come."""

from types import TracebackType
from typing import Self

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ingest.inbox.inbox_writer import InboxWriter, IncomingFile
from readfirst.errors import SourceUnavailable, Unavailable
from readfirst.pacs.matches import Retrieved

DICOM = "application/dicom"
MULTIPART = "multipart/related"


class PartReceiver:
    """Takes an answer apart. Leaving its `with` block forgets the film that is not all there.

    Raises SourceUnavailable for an answer that is none, and Unavailable where there is no room.
    most_bytes: of a film; a longer one counts as failed.
    """

    def __init__(self, content_type: str, inbox_writer: InboxWriter, most_bytes: int) -> None:
        kind, parameters = parse_options_header(content_type)
        self._inbox_writer = inbox_writer
        self._most_bytes = most_bytes
        self._incoming: IncomingFile | None = None
        self._is_too_long = False
        self._is_complete = False
        self._is_preamble = True
        self.images = self._failed = 0
        self._parser: MultipartParser | None = None
        boundary = parameters.get(b"boundary")
        if kind == MULTIPART.encode() and boundary:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_headers_finished": self._open,
                    "on_part_data": self._data,
                    "on_part_end": self._close,
                    "on_end": self._end,
                },
            )
            # What stands before the first boundary (RFC 2046 5.1.1) is a part that nobody wants.
            self._parser.write(b"--" + boundary + b"\r\n\r\n\r\n")
            self._is_preamble = False
        elif kind == DICOM.encode():
            # A server that has one film may send it as it is.
            self._is_preamble = False
            self._open()
        else:
            raise SourceUnavailable("The PACS answers with no DICOM files.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._incoming is not None:
            self._incoming.discard()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the answer."""
        if self._parser is None:
            self._data(chunk, 0, len(chunk))
            return
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise SourceUnavailable(
                "The PACS answers with what is no multipart message."
            ) from error
        except OSError as error:
            raise Unavailable(f"The inbox takes nothing: {error.strerror}.") from error

    def result(self) -> Retrieved:
        """The result, once all bytes are there."""
        if self._parser is None:
            self._close()
        elif not self._is_complete:
            raise SourceUnavailable("The PACS broke off in the middle of its answer.")
        reason = f"{self._failed} films are longer than a film may be." if self._failed else None
        return Retrieved(images=self.images, failed=self._failed, reason=reason)

    def _open(self) -> None:
        self._is_too_long = False
        if self._is_preamble:
            return
        self._incoming = self._inbox_writer.open()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._incoming is None or self._is_too_long:
            return
        if self._incoming.size + end - start > self._most_bytes:
            self._is_too_long = True
            self._incoming.discard()
            return
        self._incoming.write(data[start:end])

    def _close(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return
        if self._is_too_long:
            self._failed += 1
        else:
            incoming.deliver()
            self.images += 1

    def _end(self) -> None:
        self._is_complete = True
