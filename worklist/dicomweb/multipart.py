"""Answers of several parts (RFC 2387), sent piece by piece."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from fastapi.responses import StreamingResponse

from worklist.dicomweb.media_types import MULTIPART

#: Bytes that are read of a file at a time.
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A part of an answer. media_type: with its parameters. size: in bytes. pieces: reads it."""

    media_type: str
    size: int
    pieces: Callable[[], Iterator[bytes]]


def part_of_bytes(media_type: str, content: bytes) -> AnswerPart:
    """A part that is in memory already."""
    return AnswerPart(media_type, len(content), lambda: iter((content,)))


def part_of_file(media_type: str, path: Path) -> AnswerPart:
    """A file as a part. Raises OSError."""
    return AnswerPart(media_type, path.stat().st_size, lambda: _read(path))


def single(part: AnswerPart, headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """Answer with one part alone."""
    length = {"Content-Length": str(part.size)}
    return StreamingResponse(
        part.pieces(), headers={**(headers or {}), **length}, media_type=part.media_type
    )


def multipart(
    kind: str,
    parts: Sequence[AnswerPart],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> StreamingResponse:
    """Answer with parts of a kind, as `application/dicom`.

    The length is said before. So a client sees that an answer is cut, where a file is not to be
    read any more.
    """
    boundary = uuid4().hex
    heads = [f"--{boundary}\r\nContent-Type: {part.media_type}\r\n\r\n".encode() for part in parts]
    tail = f"--{boundary}--\r\n".encode()
    size = sum(len(head) + part.size + 2 for head, part in zip(heads, parts, strict=True))

    def pieces() -> Iterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            yield from part.pieces()
            yield b"\r\n"
        yield tail

    return StreamingResponse(
        pieces(),
        status_code,
        {**(headers or {}), "Content-Length": str(size + len(tail))},
        f'{MULTIPART}; type="{kind}"; boundary={boundary}',
    )


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
