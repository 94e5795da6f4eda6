import os
import resource
import signal
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.reader.child_death import OWN_SIGNALS
from ingest.reader.reader_process import Reader
from readfirst.errors import ReadingInterrupted, Refused, Unavailable
from readfirst.machine_faults import MOST_UNPROVEN, FaultCode, MachineFault
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.support.file_process import file_pid
from tests.support.files import a_dicom_file, a_gradient
from tests.support.platforms import needs_memory_limit
from tests.support.waiting import stand_still
from tests.support.watchers import when_asked

SECONDS = 120


@pytest.fixture(scope="module")
def one_reader() -> Iterator[Reader]:
    """A reader for many tests: whatever a test does to its child, it starts a new one by itself."""
    with Reader(SECONDS, 512) as opened:
        yield opened


@pytest.fixture
def reader(one_reader: Reader) -> Reader:
    one_reader.seconds = SECONDS
    return one_reader


def child_pid(reader: Reader) -> int:
    assert reader.pid is not None
    return reader.pid


def test_samples_are_read_through_the_child(reader: Reader) -> None:
    for path in sample_files():
        header = reader.header(path)
        assert reader.display(path).shape == (header.rows, header.columns)


def test_a_refusal_crosses_word_for_word(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "notes.dcm"
    path.write_text("no image " * 99)
    with pytest.raises(Refused, match="neither DICOM nor JPEG") as caught:
        reader.header(path)
    assert caught.value.code is RefusalCode.NOT_AN_IMAGE


#: Signals that come from outside, whoever sends them.
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM, signal.SIGPWR)


def end_by(number: signal.Signals) -> Callable[[int], None]:
    """End a process that stands still, by a signal."""

    def end(pid: int) -> None:
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)

    return end


@pytest.mark.parametrize("number", [*FROM_OUTSIDE, *OWN_SIGNALS])
def test_a_child_that_is_killed_once_costs_no_film(
    reader: Reader, tmp_path: Path, number: signal.Signals
) -> None:
    """A codec may have died of what an earlier film left behind: that proves nothing either."""
    good = a_dicom_file(tmp_path / "good.dcm")
    reader.header(good)
    first = child_pid(reader)
    stand_still(first)
    with when_asked(reader, end_by(number)):
        assert reader.display(good).shape == (48, 64)
    assert child_pid(reader) != first


class Killed(Reader):
    """A reader whose children stand still, and are ended once they are asked for a file."""

    def __init__(self, seconds: float, signals: Iterable[signal.Signals]) -> None:
        super().__init__(seconds, 512)
        self._signals = iter(signals)

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        number = next(self._signals, None)
        if number is None:
            return super()._exchange(request)
        child = self._running_child()
        stand_still(child.pid)
        with when_asked(self, end_by(number)):
            return super()._exchange(request)


#: The signals that a film meets at its first tries, and what it ends as: shown, left for later, or
#: refused. The first child has read another film before.
MET = {
    (): "shown",
    (signal.SIGKILL,): "shown",
    (signal.SIGSEGV,): "shown",
    (signal.SIGKILL, signal.SIGKILL): "shown",
    (signal.SIGSEGV, signal.SIGKILL): "shown",
    (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL): "interrupted",
    (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM): "interrupted",
    (signal.SIGSEGV, signal.SIGKILL, signal.SIGSEGV): "interrupted",
    (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT): RefusalCode.DECODER_CRASHED,
    (signal.SIGBUS, signal.SIGFPE, signal.SIGILL): RefusalCode.DECODER_CRASHED,
    (signal.SIGXCPU,): RefusalCode.DECODER_TIMEOUT,
    (signal.SIGKILL, signal.SIGXCPU): RefusalCode.DECODER_TIMEOUT,
}


@pytest.fixture(scope="module")
def killed_reader() -> Iterator[Killed]:
    with Killed(SECONDS, ()) as opened:
        yield opened


@pytest.mark.parametrize(("signals", "outcome"), MET.items())
def test_a_film_is_refused_only_for_what_a_new_process_did_itself(
    killed_reader: Killed, tmp_path: Path, signals: tuple[signal.Signals, ...], outcome: str
) -> None:
    good, reader = a_dicom_file(tmp_path / "good.dcm"), killed_reader
    reader._signals = iter(())
    reader.header(good)
    reader._signals = iter(signals)
    assert outcome_of(reader, good) == outcome
    # Whatever happened, the next film, and the next try, meet a reader that reads.
    assert reader.display(good).shape == (48, 64)


def outcome_of(reader: Reader, film: Path) -> str:
    try:
        reader.display(film)
    except Refused as refusal:
        return refusal.code
    except ReadingInterrupted:
        return "interrupted"
    return "shown"


def test_a_film_at_which_the_child_is_killed_for_ever_is_refused_at_last(tmp_path: Path) -> None:
    """Where the kernel ends the process each time, intake must not wait for ever."""
    film, other = a_dicom_file(tmp_path / "film.dcm"), a_dicom_file(tmp_path / "other.dcm")
    with ReaderWithoutAnswer(120, 512) as reader:
        ends = [outcome_of(reader, film) for _ in range(MOST_UNPROVEN - 1)]
        assert set(ends) == {"interrupted"}
        # Not in a row: another film went through.
        assert reader.header(other).rows == 48
        ends = [outcome_of(reader, film) for _ in range(MOST_UNPROVEN)]
        assert set(ends[:-1]) == {"interrupted"}
        assert ends[-1] == RefusalCode.DECODER_CRASHED


class ReaderWithoutAnswer(Reader):
    """A reader whose child is gone whenever it is asked for pixels; starting none saves time."""

    def _read(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if request["what"] == "display":
            raise ReadingInterrupted(RefusalCode.DECODER_CRASHED, "killed")
        return super()._read(request)


def test_a_child_that_gets_no_processor_time_is_ended_and_costs_no_film(
    reader: Reader, tmp_path: Path
) -> None:
    good = a_dicom_file(tmp_path / "good.dcm")
    reader.header(good)
    hanging, seconds = child_pid(reader), reader.seconds
    stand_still(hanging)
    reader.seconds = 0.1
    with pytest.raises(ReadingInterrupted, match="too little processor time"):
        reader.display(good)
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)
    reader.seconds = seconds
    assert reader.display(good).shape == (48, 64)


@needs_memory_limit
def test_memory_that_the_machine_does_not_give_is_no_fault_of_the_film(tmp_path: Path) -> None:
    """The kernel gives the child less than its own limit allows, as where all memory is taken."""
    large = a_dicom_file(tmp_path / "large.dcm", a_gradient(5000, 5000, bits=16))
    with Reader(120, 2000) as reader:
        reader.header(large)
        pid = file_pid(reader)
        limits = resource.prlimit(pid, resource.RLIMIT_AS)
        used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (used + 20 * 1024**2, limits[1]))
        with pytest.raises(MachineFault) as caught:
            reader.display(large)
        assert caught.value.code is FaultCode.OUT_OF_MEMORY
        resource.prlimit(pid, resource.RLIMIT_AS, limits)
        assert reader.display(large).shape == (5000, 5000)


def test_open_files_that_the_machine_does_not_give_are_no_fault_of_the_film(
    reader: Reader, tmp_path: Path
) -> None:
    film = a_dicom_file(tmp_path / "film.dcm")
    reader.display(film)
    pid = file_pid(reader)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, limits[1]))
    for ask in (reader.display, reader.header, reader.elements):
        with pytest.raises(Unavailable, match="Too many open files"):
            ask(film)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert reader.display(film).shape == (48, 64)


def test_a_disk_that_takes_nothing_while_an_archive_is_unpacked_is_no_fault_of_the_archive(
    reader: Reader, tmp_path: Path
) -> None:
    """A file stands where the folder should be: the operating system refuses each member."""
    film = a_dicom_file(tmp_path / "film.dcm")
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(film, "film.dcm")
    folder = tmp_path / "unpacked"
    folder.write_bytes(b"no folder")
    with pytest.raises(Unavailable, match="cannot be read"):
        reader.unpack(archive, folder)
    folder.unlink()
    folder.mkdir()
    reader.unpack(archive, folder)
    assert [path for path in folder.rglob("*") if path.is_file()]


@needs_memory_limit
def test_a_file_that_wants_too_much_memory_is_refused(tmp_path: Path) -> None:
    large = a_dicom_file(tmp_path / "large.dcm", a_gradient(5000, 5000, bits=16))
    with Reader(120, 100) as reader:
        with pytest.raises(Refused) as caught:
            reader.display(large)
        assert caught.value.code is RefusalCode.TOO_LARGE
        assert reader.display(a_dicom_file(tmp_path / "good.dcm")).shape == (48, 64)


def test_a_file_that_is_gone_is_no_fault_of_the_image(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        reader.header(tmp_path / "gone.dcm")


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    reader = Reader(120, 512)
    reader.header(a_dicom_file(tmp_path / "good.dcm"))
    pid = child_pid(reader)
    reader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
