"""The answers to what is asked about one file; the only code that looks into foreign files.

`{"what": …, "path": …, "seconds": …}` asks for `header`, `source`, `elements`, `json_attributes`,
`display`, `overlay`, `film` and `area` with `least_side`, `samples` with `longest`, `frame` with
`number` and `plain`, `is_beginning` with `whole`, `unpack` with `folder`, or `deidentified` with
the new identity. The answer is one JSON line, behind which `length` bytes follow. A request that
takes more processor time than its seconds ends the process by SIGXCPU.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ingest.deidentify.boxes import Box
from ingest.dicom.beginnings import is_beginning
from ingest.dicom.elements import read_all
from ingest.dicom.header import read_header
from ingest.dicom.overlays import overlay_image
from ingest.dicom.pixels.arrays import Array8
from ingest.dicom.pixels.display import corrected_film, display_image, film_area, viewed_film
from ingest.dicom.pixels.viewing import ViewerFilm, facts_of, no_longer_than
from ingest.dicom.pixels.window import Window
from ingest.dicom.web.frames import plain_frame, stored_frame
from ingest.dicom.web.json_attributes import json_attributes
from ingest.inbox.archive import check_is_whole, unpack
from ingest.reader.film_source import read_source
from ingest.reader.limits import limit_time
from ingest.reader.machine_causes import machine_cause
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode


def answer(line: bytes, answers: BinaryIO) -> None:
    """Write the answer to one request."""
    request = json.loads(line)
    limit_time(request.pop("seconds"))
    write_answer(answers, *_answer(**request))


def answer_unreadable(error: OSError, answers: BinaryIO) -> None:
    """Write that a file cannot be opened."""
    write_answer(answers, *_answer_fault(error))


def write_answer(answers: BinaryIO, head: dict[str, Any], *body: Any) -> None:
    """Write a head, and what follows it."""
    answers.write(json.dumps(head, default=str).encode() + b"\n")
    answers.writelines(body)
    answers.flush()


def _answer(what: str, path: str, **how: Any) -> tuple[Any, ...]:
    """The head, and the parts of the body."""
    if what != "samples":
        WHOLE_FILM.forget()
    try:
        return ANSWERS[what](Path(path), **how)
    except (Refused, MemoryError, OSError) as error:
        fault = machine_cause(error)
        return _answer_fault(fault) if fault else _answer_refused(_refusal_of(error, what))


def _answer_fault(fault: OSError | MemoryError) -> tuple[dict[str, Any], bytes]:
    if isinstance(fault, OSError):
        return {"error": f"{type(fault).__name__}: {fault.strerror}"}, b""
    return {"error": "MemoryError", "memory": True}, b""


def _refusal_of(error: Refused | MemoryError | OSError, what: str) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, MemoryError):
        return Refused(RefusalCode.TOO_LARGE)
    # A decoder says so of what it reads.
    code = DAMAGED.get(what, RefusalCode.PIXELS_UNREADABLE)
    return Refused(code, type(error).__name__)


def _answer_refused(refusal: Refused) -> tuple[dict[str, Any], bytes]:
    return {"code": refusal.code.value, "reason": refusal.reason}, b""


def _header(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        return {"header": asdict(read_header(path))}, b""
    except Refused as refusal:
        if refusal.code is RefusalCode.ARCHIVE_NOT_OPENED:
            # It has no header, but it may be incomplete.
            check_is_whole(path)
        raise


def _unpack(path: Path, folder: str) -> tuple[dict[str, Any], bytes]:
    unpack(path, Path(folder))
    return {}, b""


def _grey(grey: Array8) -> tuple[dict[str, Any], bytes]:
    return {"shape": grey.shape, "length": grey.size}, np.ascontiguousarray(grey).tobytes()


def _film(path: Path, least_side: int) -> tuple[dict[str, Any], bytes]:
    film, corrections = corrected_film(path, least_side)
    head, body = _grey(film)
    return head | {"corrections": corrections}, body


class _WholeFilm:
    """All of the film of this process, since whoever asks for a small one soon wants all of it."""

    def __init__(self) -> None:
        self._film: ViewerFilm | None = None

    def of(self, path: Path, longest: int | None) -> ViewerFilm:
        """The film, decoded unless all of it is at hand. A process reads one file alone."""
        if self._film is not None:
            return self._film
        film = viewed_film(path, longest)
        if film.scale <= 1:
            self._film = film
        return film

    def forget(self) -> None:
        """Leave the memory to another way of reading it."""
        self._film = None


def _samples(path: Path, longest: int | None) -> tuple[Any, ...]:
    """The facts; behind them the table of greys, then the samples, row by row."""
    film = no_longer_than(WHOLE_FILM.of(path, longest), longest)
    table, values = film.samples.table, film.samples.values
    # Not as bytes, which would be a copy of all of it.
    ordered = np.ascontiguousarray(values, dtype=f"<u{values.itemsize}")
    length = table.nbytes + ordered.nbytes
    return {"facts": asdict(facts_of(film)), "length": length}, table.data, ordered.data


def _json_attributes(path: Path) -> tuple[Any, ...]:
    content = json_attributes(path)
    return {"length": len(content)}, content


def _frame(path: Path, number: int, *, plain: bool) -> tuple[Any, ...]:
    frame = plain_frame(path) if plain else stored_frame(path, number)
    facts = {"frames": frame.frames, "transfer_syntax_uid": frame.transfer_syntax_uid}
    return facts | {"length": len(frame.content)}, frame.content


def _deidentified(path: Path, masked: list[list[int]], **identity: Any) -> tuple[Any, ...]:
    # Who only scores films needs no package for it.
    from ingest.deidentify.dicom_object import deidentified
    from ingest.deidentify.replacement import Replacement

    boxes = tuple(Box(*box) for box in masked)
    content = deidentified(path, Replacement(masked=boxes, **identity))
    return {"length": len(content)}, content


WHOLE_FILM = _WholeFilm()
#: What a file is refused by whose decoder fails in a way that nobody foresaw; else its pixels are.
DAMAGED = {
    "header": RefusalCode.DICOM_UNREADABLE,
    "source": RefusalCode.DICOM_UNREADABLE,
    "elements": RefusalCode.DICOM_UNREADABLE,
    "json_attributes": RefusalCode.DICOM_UNREADABLE,
    "unpack": RefusalCode.ARCHIVE_UNREADABLE,
}
ANSWERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "header": _header,
    "source": lambda path: ({"source": asdict(read_source(path))}, b""),
    "elements": lambda path: ({"elements": [asdict(element) for element in read_all(path)]}, b""),
    "is_beginning": lambda path, whole: (
        {"is_beginning": is_beginning(path, Path(whole))},
        b"",
    ),
    "unpack": _unpack,
    "display": lambda path, **window: _grey(
        display_image(path, Window(**window) if window else None)
    ),
    "area": lambda path, least_side: ({"area": asdict(film_area(path, least_side))}, b""),
    "samples": _samples,
    "overlay": lambda path: _grey(overlay_image(path)),
    "film": _film,
    "json_attributes": _json_attributes,
    "frame": _frame,
    "deidentified": _deidentified,
}
