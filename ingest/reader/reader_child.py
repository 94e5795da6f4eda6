"""The process that readers of files come from: it looks into no file itself.

For each file it hands the requests to a process of its own, which may read that file alone
(`sandbox`), and whose memory no earlier file has touched. That one stays until another file is
asked for, since whoever asks for a header soon wants the pixels, or until the caller leaves the
file. The next one is started beforehand, so that no file waits for it.

It reads one request a line; `answers` says which. Its very first line is `ready`. It ends with its
input, and as its file's process ended, when that one dies: so the caller sees by which signal.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from ingest.reader import sandbox
from ingest.reader.answer_pipe import LEAVE
from ingest.reader.answers import answer, answer_unreadable
from ingest.reader.limits import give_back_memory, limit_memory
from readfirst.samples import sample_files

#: The first line: the imports are done, so that what happens from here on is a file's doing.
READY = b"ready\n"
#: More than enough, on the busiest machine (seconds).
READ_SAMPLE_SECONDS = 600
#: prctl(2): the signal that a process gets when its parent has died.
PR_SET_PDEATHSIG = 1
#: A file's process writes it to its parent when it is ready, and behind each answer.
DONE = b"."
#: What a process may read or write: names and values of the request, and the file as it is now.
FileKey = tuple[str, str | None, str | None, int | None, int, int, int]


@dataclass(frozen=True, slots=True)
class FileProcess:
    """A process for one file. requests: a pipe to it. done: a pipe from it, one byte an answer."""

    pid: int
    requests: int
    done: int

    def ask(self, line: bytes) -> None:
        """Hand a request over. A process that has died meanwhile is found by `wait`."""
        with suppress(BrokenPipeError):
            os.write(self.requests, line)

    def wait(self) -> None:
        """Wait until it is ready, or its answer is written; where it dies first, die as it did."""
        if os.read(self.done, 1) != DONE:
            _die_like(os.waitpid(self.pid, 0)[1])

    def end(self) -> None:
        """Let it end; its memory goes with it."""
        os.close(self.requests)
        os.close(self.done)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def serve(requests: BinaryIO, answers: BinaryIO, megabytes: int) -> None:
    """Hand each request to the process of its file, until the input ends."""
    current: FileProcess | None = None
    key: FileKey | None = None
    spare = start(answers, megabytes)
    spare.wait()
    is_ready = True
    answers.write(READY)
    answers.flush()
    for line in requests:
        if line == LEAVE:
            # While nobody waits: to give its memory back takes as long as to read a header.
            if current is not None:
                current.end()
            current = key = None
            continue
        try:
            wanted = _key_of(json.loads(line))
        except OSError as error:
            answer_unreadable(error, answers)
            continue
        if current is None or wanted != key:
            if current is not None:
                current.end()
            current, key = spare, wanted
            if not is_ready:
                current.wait()
            current.ask(line)
            # It makes itself ready while the file is read, and whoever asks next looks for it.
            spare, is_ready = start(answers, megabytes), False
            current.wait()
        else:
            current.ask(line)
            current.wait()


def start(answers: BinaryIO, megabytes: int) -> FileProcess:
    """Fork a process that waits for the requests about one file; it is ready after a `wait`.

    No file is to blame where the machine lets no process be made: then this one ends as if it was
    killed from outside.
    """
    try:
        requests, to_child = os.pipe()
        from_child, done = os.pipe()
        parent, pid = os.getpid(), os.fork()
    except OSError:
        os.kill(os.getpid(), signal.SIGKILL)
    if pid:
        os.close(requests)
        os.close(done)
        return FileProcess(pid, to_child, from_child)
    try:
        _keep_only(requests, done, answers.fileno())
        _end_with(parent)
        if sys.platform == "linux":
            limit_memory(megabytes)
        sandbox.refuse_calls()
        _read_one_file(requests, done, answers)
    finally:
        os._exit(1)


def _read_one_file(requests: int, done: int, answers: BinaryIO) -> NoReturn:
    rules = sandbox.library_rules()
    os.write(done, DONE)
    is_closed = False
    for line in os.fdopen(requests, "rb"):
        try:
            if not is_closed:
                _close_file_system(rules, json.loads(line))
            is_closed = True
        except OSError as error:
            # The file is gone, or Landlock fails: nothing was read.
            answer_unreadable(error, answers)
        else:
            answer(line, answers)
        os.write(done, DONE)
    os._exit(0)


def _close_file_system(rules: Any, request: dict[str, str]) -> None:
    files = [Path(request[name]) for name in ("path", "whole") if request.get(name)]
    folder = request.get("folder")
    sandbox.close_file_system(rules, files, Path(folder) if folder else None)


def load_codecs() -> None:
    """Import every decoder, and what is imported at the first film."""
    import gdcm  # noqa: F401
    import jpeg_ls  # noqa: F401
    import numpy.ma  # noqa: F401 - by numpy itself at the first median
    import openjpeg  # noqa: F401
    import rle  # noqa: F401
    from PIL import Image

    Image.init()
    read_sample()


def read_sample() -> None:
    """Read a film of our own."""
    request = {"what": "display", "path": str(sample_files()[0]), "seconds": READ_SAMPLE_SECONDS}
    with Path(os.devnull).open("wb") as nowhere:
        answer(json.dumps(request).encode(), nowhere)


def _key_of(request: dict[str, str]) -> FileKey:
    """The file as it is now: what was put in its place is another one. Raises OSError."""
    status = Path(request["path"]).stat()
    folder = request.get("folder")
    # Whether it is there, and which one it is.
    inode = Path(folder).stat().st_ino if folder and Path(folder).is_dir() else None
    version = status.st_dev, status.st_ino, status.st_mtime_ns
    return request["path"], request.get("whole"), folder, inode, *version


def _keep_only(*kept: int) -> None:
    """Close all descriptors but these and the three standard ones; read nothing more from 0."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    bounds = [2, *sorted(kept), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]
    for low, high in pairwise(bounds):
        os.closerange(low + 1, high)


def _end_with(parent: int) -> None:
    """End when the parent does, even when it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _die_like(status: int) -> NoReturn:
    """End by the same signal, or with the same code."""
    if os.WIFSIGNALED(status):
        with suppress(OSError):  # the one of SIGKILL cannot be set
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) or 1)


def main() -> None:
    """Serve requests from stdin; answers go to stdout."""
    load_codecs()
    sandbox.prepare()
    give_back_memory()
    gc.freeze()
    gc.enable()
    # Codecs that write to stdout must not break the framing: they get stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, int(sys.argv[1]))
