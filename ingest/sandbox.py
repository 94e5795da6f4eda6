"""Reading files in a process of their own, bounded in memory and time."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from pydantic import TypeAdapter

from ingest.elements import Element
from ingest.pixels.arrays import Array8
from ingest.pixels.viewing import FilmFacts
from ingest.pixels.window import Window
from readfirst.domain import Header
from readfirst.errors import Refused, Unavailable
from readfirst.heat import Area
from readfirst.refusals import RefusalCode

HEADERS, FACTS = TypeAdapter(Header), TypeAdapter(FilmFacts)
ELEMENTS = TypeAdapter(list[Element])
#: No header is longer (bytes); a child that says more has gone wrong.
LONGEST_LINE = 1024 * 1024
#: Seconds that a new child may take for its imports.
START_SECONDS = 30.0


class Reader:
    """Reads headers and pixels through one child process, which is replaced when it dies.

    seconds: time limit for one file. megabytes: memory limit of the child above its base. Safe to
    share between threads; one file is read at a time.
    """

    def __init__(self, seconds: float, megabytes: int) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def header(self, path: Path) -> Header:
        """What `ingest.header.read_header` gives, and its refusals.

        Raises also Refused with `decoder_crashed`, `decoder_timeout` or `too_large`, and
        Unavailable if the file cannot be opened or no child starts.
        """
        head, _ = self._ask("header", path)
        return HEADERS.validate_python(head["header"])

    def elements(self, path: Path) -> list[Element]:
        """What `ingest.elements.read_all` gives, and its refusals, as in `header`."""
        head, _ = self._ask("elements", path)
        return ELEMENTS.validate_python(head["elements"])

    def display(self, path: Path, window: Window | None = None) -> Array8:
        """What `ingest.pixels.display.display_image` gives, and its refusals, as in `header`."""
        how = {} if window is None else asdict(window)
        return _pixels(*self._ask("display", path, **how))

    def film(self, path: Path, least_side: int) -> Array8:
        """What `ingest.pixels.display.film_image` gives, and its refusals, as in `header`."""
        return _pixels(*self._ask("film", path, least_side=least_side))

    def area(self, path: Path, least_side: int) -> Area:
        """What `ingest.pixels.display.film_area` gives, and its refusals, as in `header`."""
        head, _ = self._ask("area", path, least_side=least_side)
        return Area(**head["area"])

    def samples(self, path: Path, longest: int | None = None) -> tuple[FilmFacts, bytes]:
        """What `ingest.pixels.display.viewed_film` gives, and its refusals, as in `header`.

        Returns the facts, and as bytes the table of greys and then the samples, row by row.
        """
        head, body = self._ask("samples", path, longest=longest)
        return FACTS.validate_python(head["facts"]), body

    def unpack(self, path: Path, folder: Path) -> None:
        """What `ingest.archive.unpack` does, and its refusals, as in `header`."""
        self._ask("unpack", path, folder=str(folder.absolute()))

    def _ask(
        self, what: str, path: Path, **how: float | str | None
    ) -> tuple[dict[str, Any], bytes]:
        with self._lock:
            try:
                head, body = self._exchange({"what": what, "path": str(path.absolute()), **how})
            except TimeoutError as error:
                self.close()
                detail = f"{self._seconds:g} s"
                raise Refused(RefusalCode.DECODER_TIMEOUT, detail) from error
            except (EOFError, BrokenPipeError) as error:
                self.close()
                raise Refused(RefusalCode.DECODER_CRASHED) from error
            except BaseException:
                # Whoever breaks off here (a signal, a task's time limit) leaves an answer in the
                # pipe: it must never be taken for the answer about another film.
                self.close()
                raise
        if "error" in head:
            raise Unavailable(f"The file cannot be read: {head['error']}")
        if "code" in head:
            raise _refusal(head)
        return head, body

    def _exchange(self, request: dict[str, str | float | None]) -> tuple[dict[str, Any], bytes]:
        requests, pipe = _pipes(self._running_child())
        requests.write(json.dumps(request).encode() + b"\n")
        answers = _Answers(pipe.fileno(), time.monotonic() + self._seconds)
        head = json.loads(answers.line())
        return head, answers.exactly(int(head.get("length", 0)))

    def _running_child(self) -> subprocess.Popen[bytes]:
        """The child, started if it is not there. Raises Unavailable if it cannot start."""
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.child", str(self._megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        try:
            _Answers(_pipes(self._child)[1].fileno(), time.monotonic() + START_SECONDS).line()
        except (EOFError, TimeoutError) as error:
            # No file has been read yet, so none is to blame.
            raise Unavailable("The process that reads files does not start.") from error
        return self._child


def _pixels(head: dict[str, Any], body: bytes) -> Array8:
    return np.frombuffer(body, dtype=np.uint8).reshape(head["shape"])


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    return child.stdin, child.stdout


class _Answers:
    """Reads a pipe up to a deadline. Raises TimeoutError, or EOFError when the writer is gone."""

    def __init__(self, pipe: int, deadline: float) -> None:
        self._pipe = pipe
        self._deadline = deadline
        self._held = bytearray()

    def line(self) -> bytes:
        while b"\n" not in self._held:
            if len(self._held) > LONGEST_LINE:
                raise EOFError
            self._more(65536)
        line, _, rest = bytes(self._held).partition(b"\n")
        self._held = bytearray(rest)
        return line

    def exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            self._more(size - len(self._held))
        return bytes(self._held)

    def _more(self, most: int) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 or not select.select([self._pipe], [], [], left)[0]:
            raise TimeoutError
        read = os.read(self._pipe, min(most, 1 << 20))
        if not read:
            raise EOFError
        self._held += read


def _refusal(head: dict[str, Any]) -> Refused:
    """The child's refusal, word for word."""
    refusal = Refused(RefusalCode(head["code"]))
    refusal.reason = head["reason"]
    return refusal
