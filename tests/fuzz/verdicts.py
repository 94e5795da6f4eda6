"""What becomes of a file: it is shown, or refused by a code. Anything else is a failure."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ingest.archive import unpacked
from ingest.sandbox import Reader
from ingest.sniff import is_archive
from models.preprocessing import LEAST_SIDE
from readfirst.errors import Refused

#: What the reader says of a file that goes on to be scored, and of an archive of such files.
SHOWN, UNPACKED = "shown", "unpacked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a file, and how long it took.

    what: `shown`, `unpacked`, or the code of a refusal.
    """

    what: str
    seconds: float


def verdict(path: Path, reader: Reader) -> Verdict:
    """Read a file as intake and the workers do: its header, its film, and every pixel of it.

    Raises AssertionError for an image that is none; any other error but Refused comes through.
    """
    begun = time.monotonic()
    try:
        if is_archive(path):
            _unpack(path, reader)
            return Verdict(UNPACKED, time.monotonic() - begun)
        header = reader.header(path)
        film, display = reader.film(path, LEAST_SIDE), reader.display(path)
    except Refused as refusal:
        return Verdict(refusal.code.value, time.monotonic() - begun)
    assert header.rows >= 1
    assert header.columns >= 1
    for grey in (film, display):
        assert grey.ndim == 2
        assert grey.size
    return Verdict(SHOWN, time.monotonic() - begun)


def _unpack(path: Path, reader: Reader) -> None:
    """Unpack an archive as intake does, and check that all of it lies where it should."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        reader.unpack(path, folder)
        for member in unpacked(folder):
            assert member.path.parent == folder
            assert member.path.is_file()


def peak_megabytes(reader: Reader) -> float:
    """The most memory that the reader's child has held so far; 0 where no child runs (Linux)."""
    child = reader._child
    if child is None or child.poll() is not None:
        return 0.0
    status = Path(f"/proc/{child.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
