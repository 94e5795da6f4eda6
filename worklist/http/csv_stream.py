"""Rows as CSV while they are read: nobody keeps all of them in memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from fastapi.responses import StreamingResponse

from worklist.http.responses import MEDIA_TYPES, Format, as_csv

#: Rows of one piece.
PIECE = 500


def csv_pieces(kind: type[Any], rows: Iterable[Any]) -> Iterator[bytes]:
    """Pieces of CSV (RFC 4180): the header line, then the rows of one dataclass."""
    yield as_csv(kind, ())
    left = iter(rows)
    while piece := tuple(islice(left, PIECE)):
        yield as_csv(kind, piece).split(b"\r\n", 1)[1]


def stream_csv(kind: type[Any], rows: Iterable[Any], file_name: str) -> StreamingResponse:
    """Answer with a file of CSV."""
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    pieces = csv_pieces(kind, rows)
    return StreamingResponse(pieces, headers=headers, media_type=MEDIA_TYPES[Format.CSV])
