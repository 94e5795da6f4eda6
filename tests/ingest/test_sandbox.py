import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ingest.sandbox import Reader
from readfirst.errors import Refused, Unavailable
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.ingest.builders import a_dicom_file, a_gradient


@pytest.fixture
def reader():  # type: ignore[no-untyped-def]
    with Reader(20, 512) as opened:
        yield opened


def child_pid(reader: Reader) -> int:
    assert reader._child is not None
    return reader._child.pid


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


def test_a_child_that_dies_takes_one_file_with_it_and_is_replaced(
    reader: Reader, tmp_path: Path
) -> None:
    good = a_dicom_file(tmp_path / "good.dcm")
    reader.header(good)
    first = child_pid(reader)
    os.kill(first, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    with pytest.raises(Refused) as caught:
        reader.display(good)
    killer.join()
    assert caught.value.code is RefusalCode.DECODER_CRASHED
    assert reader.display(good).shape == (48, 64)
    assert child_pid(reader) != first


def test_a_child_that_hangs_is_ended_in_time(tmp_path: Path) -> None:
    good = a_dicom_file(tmp_path / "good.dcm")
    with Reader(1.0, 512) as reader:
        reader.header(good)
        os.kill(child_pid(reader), signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(Refused) as caught:
            reader.display(good)
        assert caught.value.code is RefusalCode.DECODER_TIMEOUT
        assert time.monotonic() - begun < 5
        assert reader.display(good).shape == (48, 64)


def test_a_file_that_wants_too_much_memory_is_refused(tmp_path: Path) -> None:
    large = a_dicom_file(tmp_path / "large.dcm", a_gradient(5000, 5000, bits=16))
    with Reader(20, 100) as reader:
        with pytest.raises(Refused) as caught:
            reader.display(large)
        assert caught.value.code is RefusalCode.TOO_LARGE
        assert reader.display(a_dicom_file(tmp_path / "good.dcm")).shape == (48, 64)


def test_a_file_that_is_gone_is_no_fault_of_the_image(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        reader.header(tmp_path / "gone.dcm")


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    reader = Reader(20, 512)
    reader.header(a_dicom_file(tmp_path / "good.dcm"))
    pid = child_pid(reader)
    reader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
