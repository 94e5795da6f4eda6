"""Multipart bodies (RFC 2046 5.1), each part written to disk as it comes."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from ingest.inbox.inbox_writer import InboxWriter, IncomingFile
from readfirst.errors import Unavailable

#: No request has more parts than this; a study has a handful of films.
MOST_PARTS = 500
RETRY_AFTER = {"Retry-After": "60"}


@dataclass(slots=True)
class BodyPart:
    """A part of a body: its headers, names in lower case, and its content, unless not wanted."""

    headers: dict[str, str] = field(default_factory=dict)
    incoming_file: IncomingFile | None = None


@asynccontextmanager
async def received_parts(
    request: Request, media_type: str, inbox_writer: InboxWriter, wanted: Callable[[BodyPart], bool]
) -> AsyncIterator[list[BodyPart]]:
    """The wanted parts of a request, on disk for the length of the block.

    What is not delivered by then is removed. Raises HTTPException: 415 for another media type,
    400 for a body that is not as it must be, 503 when nothing can be written.
    """
    boundary = _boundary(request.headers, media_type)
    body = _Body(inbox_writer, wanted)
    try:
        body.expect(boundary)
        async for chunk in request.stream():
            await run_in_threadpool(body.write, chunk)
        yield body.finish()
    except ClientDisconnect as gone:
        raise HTTPException(400, "The sender broke off.") from gone
    except FormParserError as error:
        raise HTTPException(400, f"The body is not well formed: {error}.") from error
    except Unavailable as error:
        raise HTTPException(503, str(error), RETRY_AFTER) from error
    finally:
        await run_in_threadpool(body.discard)


def content_type(headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The media type, in lower case, and its parameters."""
    kind, parameters = parse_options_header(headers.get("content-type"))
    named = {name.decode("latin-1"): text.decode("latin-1") for name, text in parameters.items()}
    return kind.decode("latin-1"), named


def _boundary(headers: Mapping[str, str], media_type: str) -> str:
    kind, parameters = content_type(headers)
    if kind != media_type:
        raise HTTPException(415, f"{media_type} is taken here.")
    if not parameters.get("boundary"):
        raise HTTPException(400, "The content type names no boundary.")
    return parameters["boundary"]


class _Body:
    """Parses a body and puts what is wanted of it into parcels.

    What stands before the first boundary (RFC 2046 5.1.1) is parsed as a part of its own, which
    nobody wants: to the parser, a body begins with a boundary.
    """

    def __init__(self, inbox_writer: InboxWriter, wanted: Callable[[BodyPart], bool]) -> None:
        self._inbox_writer = inbox_writer
        self._wanted = wanted
        self._parts: list[BodyPart] = []
        self._name = self._value = b""
        self._complete = False

    def expect(self, boundary: str) -> None:
        """Begin. Raises FormParserError for a boundary that none may be."""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._close,
                "on_end": self._end,
            },
        )
        self._parser.write(f"--{boundary}\r\n\r\n\r\n".encode("latin-1"))

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self._parser.write(chunk)

    def finish(self) -> list[BodyPart]:
        """The wanted parts. Raises FormParserError if the body is not all there."""
        if not self._complete:
            raise FormParserError("it ends before its last boundary")
        return [part for part in self._parts if part.incoming_file is not None]

    def discard(self) -> None:
        """Remove what has not been delivered."""
        for part in self._parts:
            if part.incoming_file is not None:
                part.incoming_file.discard()

    def _begin(self) -> None:
        if len(self._parts) > MOST_PARTS:
            raise FormParserError(f"it has more than {MOST_PARTS} parts")
        self._parts.append(BodyPart())

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = self._name.decode("latin-1").lower()
        self._parts[-1].headers[name] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _open(self) -> None:
        part = self._parts[-1]
        is_preamble = len(self._parts) == 1
        if not is_preamble and self._wanted(part):
            part.incoming_file = self._inbox_writer.open()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if (incoming_file := self._parts[-1].incoming_file) is not None:
            incoming_file.write(data[start:end])

    def _close(self) -> None:
        # Parts by the hundred must not all stay open.
        if (incoming_file := self._parts[-1].incoming_file) is not None:
            incoming_file.close()

    def _end(self) -> None:
        self._complete = True
