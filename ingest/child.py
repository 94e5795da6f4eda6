"""The process that reads files, apart from all others: what a file does to it, it does to it alone.

It reads one request a line, `{"what": …, "path": …}`: `header`, `elements`, `display`, `film` and
`area` with `least_side`, `samples` with `longest`, or `unpack` with `folder`. It answers with one
JSON line, behind which `length` bytes follow. Its very first line is `ready`. It ends with its
input.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ingest.archive import unpack
from ingest.elements import read_all
from ingest.header import read_header
from ingest.pixels.arrays import Array8
from ingest.pixels.display import display_image, film_area, film_image, viewed_film
from ingest.pixels.viewing import Film, facts_of, no_longer_than
from ingest.pixels.window import Window
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: The first line: the imports are done, so that what happens from here on is a file's doing.
READY = b"ready\n"


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the input ends."""
    for line in requests:
        request = json.loads(line)
        head, *body = _answer(**request)
        answers.write(json.dumps(head, default=str).encode() + b"\n")
        answers.writelines(body)
        answers.flush()


def limit_memory(megabytes: int) -> None:
    """Let this process grow by so much above what it holds now, and leave no core dump."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + megabytes * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def load_codecs() -> None:
    """Import every decoder, so that the base of the memory limit holds them."""
    import gdcm  # noqa: F401
    import jpeg_ls  # noqa: F401
    import openjpeg  # noqa: F401
    import rle  # noqa: F401
    from PIL import Image

    Image.init()


def _answer(what: str, path: str, **how: Any) -> tuple[Any, ...]:
    """The head, and the parts of the body."""
    if what != "samples":
        LAST_FILM.forget()
    try:
        return ANSWERS[what](Path(path), **how)
    except Refused as refusal:
        return _answer_refused(refusal)
    except MemoryError:
        return _answer_refused(Refused(RefusalCode.TOO_LARGE))
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error.strerror}"}, b""


def _answer_refused(refusal: Refused) -> tuple[dict[str, Any], bytes]:
    return {"code": refusal.code.value, "reason": refusal.reason}, b""


def _header(path: Path) -> tuple[dict[str, Any], bytes]:
    return {"header": asdict(read_header(path))}, b""


def _unpack(path: Path, folder: str) -> tuple[dict[str, Any], bytes]:
    unpack(path, Path(folder))
    return {}, b""


def _grey(grey: Array8) -> tuple[dict[str, Any], bytes]:
    return {"shape": grey.shape, "length": grey.size}, np.ascontiguousarray(grey).tobytes()


class _LastFilm:
    """The film that was decoded last, since whoever asks for a small one soon wants all of it."""

    def __init__(self) -> None:
        self._key: tuple[Path, int] | None = None
        self._film: Film | None = None

    def of(self, path: Path, longest: int | None) -> Film:
        """The film, decoded unless all of it is at hand."""
        key = (path, path.stat().st_mtime_ns)
        if self._film is None or self._key != key:
            self.forget()
            film = viewed_film(path, longest)
            if film.scale > 1:
                return film
            self._key, self._film = key, film
        return self._film

    def forget(self) -> None:
        """Leave the memory to another file."""
        self._key = self._film = None


def _samples(path: Path, longest: int | None) -> tuple[Any, ...]:
    """The facts; behind them the table of greys, then the samples, row by row."""
    film = no_longer_than(LAST_FILM.of(path, longest), longest)
    table, values = film.samples.table, film.samples.values
    # Not as bytes, which would be a copy of all of it.
    ordered = np.ascontiguousarray(values, dtype=f"<u{values.itemsize}")
    length = table.nbytes + ordered.nbytes
    return {"facts": asdict(facts_of(film)), "length": length}, table.data, ordered.data


LAST_FILM = _LastFilm()
ANSWERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "header": _header,
    "elements": lambda path: ({"elements": [asdict(one) for one in read_all(path)]}, b""),
    "unpack": _unpack,
    "display": lambda path, **window: _grey(
        display_image(path, Window(**window) if window else None)
    ),
    "area": lambda path, least_side: ({"area": asdict(film_area(path, least_side))}, b""),
    "samples": _samples,
    "film": lambda path, least_side: _grey(film_image(path, least_side)),
}

if __name__ == "__main__":
    load_codecs()
    if sys.platform == "linux":
        limit_memory(int(sys.argv[1]))
    # Codecs that write to stdout must not break the framing: they get stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answers.write(READY)
    answers.flush()
    serve(sys.stdin.buffer, answers)
