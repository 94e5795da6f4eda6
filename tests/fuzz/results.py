"""The end of a file: it is shown, or refused by a code. Anything else is a failure."""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ingest.dicom.sniff import is_archive
from ingest.inbox.archive import unpacked
from ingest.reader.reader_process import Reader
from models.preprocessing import LEAST_SIDE
from readfirst.errors import Refused
from tests.support.file_process import file_pid

#: What the reader says of a file that goes on to be scored, and of an archive of such files.
SHOWN, UNPACKED = "shown", "unpacked"


@dataclass(frozen=True, slots=True)
class FileResult:
    """The end of a file, and the time that it took.

    what: `shown`, `unpacked`, or the code of a refusal.
    """

    what: str
    seconds: float


def result_of(path: Path, reader: Reader) -> FileResult:
    """Read a file as intake and the workers do: its header, its film, and every pixel of it.

    Raises AssertionError for an image that is none; any other error but Refused comes through.
    """
    begun = time.monotonic()
    try:
        if is_archive(path):
            _unpack(path, reader)
            return FileResult(UNPACKED, time.monotonic() - begun)
        header = reader.header(path)
        film, display = reader.film(path, LEAST_SIDE), reader.display(path)
    except Refused as refusal:
        return FileResult(refusal.code.value, time.monotonic() - begun)
    assert header.rows >= 1
    assert header.columns >= 1
    for grey in (film, display):
        assert grey.ndim == 2
        assert grey.size
    return FileResult(SHOWN, time.monotonic() - begun)


def _unpack(path: Path, reader: Reader) -> None:
    """Unpack an archive as intake does, and check that all of it lies where it should."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        reader.unpack(path, folder)
        for member in unpacked(folder):
            assert member.path.parent == folder
            assert member.path.is_file()


def cpu_seconds(reader: Reader) -> float:
    """The time that the reader's child has computed so far; 0 where no child runs (Linux)."""
    pid = reader.pid
    if pid is None:
        return 0.0
    # proc(5): behind the name, which may hold blanks, user and system time are the 12th and 13th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(reader: Reader) -> float:
    """The most memory that the process of the last file has held; 0 without one or Linux."""
    if reader.pid is None or sys.platform != "linux":
        return 0.0
    status = Path(f"/proc/{file_pid(reader)}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
