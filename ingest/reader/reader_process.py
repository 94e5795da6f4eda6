"""Reading files in a process of their own, bounded in memory and time.

A file that ends this process is read again, alone in a new one. It is refused only for what the new
process did itself, twice, or for the processor time that it took. What is killed from outside, gets
no processor time or cannot start says nothing of the file.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, astuple, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from pydantic import TypeAdapter

from ingest.deidentify.replacement import Replacement
from ingest.dicom.elements import Element
from ingest.dicom.pixels.arrays import Array8
from ingest.dicom.pixels.viewing import FilmFacts
from ingest.dicom.pixels.window import Window
from ingest.dicom.web.frames import StoredFrame
from ingest.reader.answer_pipe import LEAVE, AnswerPipe
from ingest.reader.child_death import DeathCause, death_cause, signal_name
from ingest.reader.film_source import FilmSource
from ingest.reader.limits import is_to_be_had
from readfirst.domain import Header
from readfirst.errors import ReadingInterrupted, Refused, Unavailable
from readfirst.heat_maps import Area
from readfirst.machine_faults import MOST_UNPROVEN, FaultCode, MachineFault
from readfirst.refusals import RefusalCode

HEADERS, FACTS = TypeAdapter(Header), TypeAdapter(FilmFacts)
ELEMENTS, SOURCES = TypeAdapter(list[Element]), TypeAdapter(FilmSource)
#: The module that runs as the child.
CHILD = "ingest.reader.child_start"
#: Seconds that a new child may take for its imports.
START_SECONDS = 60.0
#: So often one file is given to a child before it is left for later.
MOST_TRIES = 3
#: New processes that must have ended themselves over one file, which proves that it is its doing.
PROOF = 2
#: On a busy machine, a file may take so many times longer than the processor time that it may have.
PATIENCE = 3
#: A child that has closed its end of the pipe is gone so soon (seconds).
END_SECONDS = 10.0


class Reader:
    """Reads headers and pixels through one child process, which is replaced when it dies.

    seconds: of processor time for one file, in whole ones; it may be changed between two.
    megabytes: memory limit of the child above its base. Safe to share between threads; one file is
    read at a time.
    """

    def __init__(self, seconds: float, megabytes: int) -> None:
        self.seconds = seconds
        self._megabytes = megabytes
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        #: The file whose reading was interrupted last, and how often in a row.
        self._interrupted: tuple[str, int] = ("", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The number of the child process; None if none runs."""
        child = self._child
        return None if child is None or child.poll() is not None else child.pid

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            # It, and the process of the file: Linux alone ends that one by itself.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()

    def header(self, path: Path) -> Header:
        """Ask for what `header.read_header` gives, with its refusals.

        Raises also Refused with `decoder_crashed`, `decoder_timeout` or `too_large`;
        ReadingInterrupted if the child is killed from outside or gets no processor time;
        MachineFault if the machine lacks memory or no child starts; Unavailable if the file cannot
        be opened.
        """
        head, _ = self._ask("header", path)
        return HEADERS.validate_python(head["header"])

    def source(self, path: Path) -> FilmSource:
        """Ask for what `film_source.read_source` gives; refusals as in `header`."""
        head, _ = self._ask("source", path)
        return SOURCES.validate_python(head["source"])

    def elements(self, path: Path) -> list[Element]:
        """Ask for what `elements.read_all` gives; refusals as in `header`."""
        head, _ = self._ask("elements", path)
        return ELEMENTS.validate_python(head["elements"])

    def json_attributes(self, path: Path) -> dict[str, Any]:
        """Ask for what `web.json_attributes` gives, in the DICOM JSON Model; refusals as above."""
        _, body = self._ask("json_attributes", path)
        attributes: dict[str, Any] = json.loads(body)
        return attributes

    def frame(self, path: Path, number: int, *, plain: bool) -> StoredFrame:
        """Ask for what `web.frames.stored_frame` gives, or `plain_frame`; refusals as above."""
        head, body = self._ask("frame", path, number=number, plain=plain)
        return StoredFrame(int(head["frames"]), str(head["transfer_syntax_uid"]), body)

    def display(self, path: Path, window: Window | None = None) -> Array8:
        """Ask for what `pixels.display.display_image` gives; refusals as in `header`."""
        how = {} if window is None else asdict(window)
        return _pixels(*self._ask("display", path, **how))

    def film(self, path: Path, least_side: int) -> Array8:
        """Ask for what `pixels.display.film_image` gives; refusals as in `header`."""
        return self.corrected_film(path, least_side)[0]

    def corrected_film(self, path: Path, least_side: int) -> tuple[Array8, tuple[str, ...]]:
        """Ask for what `pixels.display.corrected_film` gives; refusals as in `header`."""
        head, body = self._ask("film", path, least_side=least_side)
        return _pixels(head, body), tuple(head["corrections"])

    def area(self, path: Path, least_side: int) -> Area:
        """Ask for what `pixels.display.film_area` gives; refusals as in `header`."""
        head, _ = self._ask("area", path, least_side=least_side)
        return Area(**head["area"])

    def samples(self, path: Path, longest: int | None = None) -> tuple[FilmFacts, bytes]:
        """Ask for what `pixels.display.viewed_film` gives; refusals as in `header`.

        Returns the facts, and as bytes the table of greys and then the samples, row by row.
        """
        head, body = self._ask("samples", path, longest=longest)
        return FACTS.validate_python(head["facts"]), body

    def overlay(self, path: Path) -> Array8:
        """Ask for what `ingest.dicom.overlays.overlay_image` gives; refusals as in `header`."""
        return _pixels(*self._ask("overlay", path))

    def deidentified(self, path: Path, replacement: Replacement) -> bytes:
        """Ask for what `ingest.deidentify.dicom_object.deidentified` gives; refusals as above."""
        how = {field.name: getattr(replacement, field.name) for field in fields(replacement)}
        how["masked"] = [astuple(box) for box in replacement.masked]
        return self._ask("deidentified", path, **how)[1]

    def is_beginning(self, path: Path, whole: Path) -> bool:
        """Ask for what `beginnings.is_beginning` gives; refusals as in `header`."""
        head, _ = self._ask("is_beginning", path, whole=str(whole.absolute()))
        return bool(head["is_beginning"])

    def unpack(self, path: Path, folder: Path) -> None:
        """Ask for what `ingest.inbox.archive.unpack` does; refusals as in `header`."""
        self._ask("unpack", path, folder=str(folder.absolute()))

    def leave(self) -> None:
        """Tell that nothing more is asked of the last file, so that its process ends meanwhile."""
        with self._lock:
            child = self._child
            if child is not None and child.stdin is not None:
                # A child that has died is found by the next request.
                with suppress(BrokenPipeError):
                    child.stdin.write(LEAVE)

    def _ask(self, what: str, path: Path, **how: Any) -> tuple[dict[str, Any], bytes]:
        name = str(path.absolute())
        request = {"what": what, "path": name, "seconds": self.seconds, **how}
        with self._lock:
            try:
                head, body = self._read(request)
            except ReadingInterrupted as error:
                if self._is_too_often(name):
                    raise Refused(error.code, str(error)) from error
                raise
            except BaseException:
                # Whoever breaks off here (a signal, a task's time limit) leaves an answer in the
                # pipe: it must never be taken for the answer about another film.
                self.close()
                raise
            self._interrupted = ("", 0)
        if "error" in head:
            if "memory" in head:
                raise MachineFault(FaultCode.OUT_OF_MEMORY)
            raise Unavailable(f"The file cannot be read: {head['error']}")
        if "code" in head:
            raise _refusal(head)
        return head, body

    def _read(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Give a file to the child that runs, and after a death to new ones."""
        proofs = 0
        for _ in range(MOST_TRIES):
            is_new = self.pid is None
            try:
                return self._exchange(request)
            except TimeoutError as error:
                self.close()
                text = "The process that reads files got too little processor time"
                waited = f"{text} in {PATIENCE * self.seconds:g} s."
                raise ReadingInterrupted(RefusalCode.DECODER_TIMEOUT, waited) from error
            except (EOFError, BrokenPipeError):
                returncode = self._returncode()
                cause = death_cause(returncode)
            except ValueError:
                # It is no answer.
                self.close()
                returncode, cause = 0, DeathCause.ITSELF
            if cause is DeathCause.TIME:
                raise Refused(RefusalCode.DECODER_TIMEOUT, f"{self.seconds:g} s")
            if is_new and cause is DeathCause.ITSELF:
                proofs += 1
            if proofs == PROOF:
                raise self._crash()
        by = signal_name(returncode) if returncode < 0 else "it ended itself"
        text = f"The process that reads files was ended {MOST_TRIES} times in a row ({by})."
        raise ReadingInterrupted(RefusalCode.DECODER_CRASHED, text)

    def _crash(self) -> Exception:
        """The refusal of a file that ends its process, unless the machine lacks the memory."""
        if is_to_be_had(self._megabytes * 1024**2):
            return Refused(RefusalCode.DECODER_CRASHED)
        return MachineFault(FaultCode.OUT_OF_MEMORY)

    def _is_too_often(self, name: str) -> bool:
        """Count one more interruption of a file, and tell whether there were too many in a row."""
        before, times = self._interrupted
        self._interrupted = (name, times + 1 if name == before else 1)
        return self._interrupted[1] >= MOST_UNPROVEN

    def _returncode(self) -> int:
        """The return code of the child, which has closed its pipe."""
        child = self._child
        if child is None:
            raise Unavailable("The process that reads files was closed meanwhile.")
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            # It lives on without its pipe.
            self.close()
            return 0
        self.close()
        return child.returncode

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        requests, pipe = _pipes(self._running_child())
        requests.write(json.dumps(request).encode() + b"\n")
        answers = AnswerPipe(pipe.fileno(), time.monotonic() + PATIENCE * self.seconds)
        head = json.loads(answers.line())
        return head, answers.exactly(int(head.get("length", 0)))

    def _running_child(self) -> subprocess.Popen[bytes]:
        """The child, started if it is not there. Raises MachineFault if it cannot start."""
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        try:
            self._child = _started(self._megabytes)
            AnswerPipe(_pipes(self._child)[1].fileno(), time.monotonic() + START_SECONDS).line()
        except (EOFError, OSError, ValueError) as error:
            # No file has been read yet, so none is to blame.
            self.close()
            raise MachineFault(FaultCode.READER_NOT_STARTED, _said_of(error)) from error
        return self._child


def _started(megabytes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", CHILD, str(megabytes)],
        # Where the modules are, and nothing else: settings hold passwords.
        env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def _said_of(error: Exception) -> str:
    """What the operating system said of a process that does not start."""
    return (isinstance(error, OSError) and error.strerror) or ""


def _pixels(head: dict[str, Any], body: bytes) -> Array8:
    return np.frombuffer(body, dtype=np.uint8).reshape(head["shape"])


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    return child.stdin, child.stdout


def _refusal(head: dict[str, Any]) -> Refused:
    """The child's refusal, word for word."""
    refusal = Refused(RefusalCode(head["code"]))
    refusal.reason = head["reason"]
    return refusal
