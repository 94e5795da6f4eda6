"""Real files that try to take too much memory or time, or that kill a codec: one child bears it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.reader.reader_process import Reader
from models.preprocessing import LEAST_SIDE
from readfirst.errors import ReadingInterrupted, Refused
from readfirst.refusals import RefusalCode
from tests.fuzz.hostile_dicom import a_deflate_bomb, an_rle_bomb, what_aborts_gdcm
from tests.fuzz.hostile_pictures import LARGE_SIDE, a_jpeg_of_many_scans, a_png_bomb
from tests.fuzz.results import SHOWN, peak_megabytes, result_of
from tests.support.files import a_dicom_file
from tests.support.platforms import needs_memory_limit
from tests.support.waiting import TIMEOUT

#: For one file, on a busy machine.
SECONDS = 120.0
GREEDY = {
    "rle": an_rle_bomb,
    "deflate": a_deflate_bomb,
    "png": lambda: a_png_bomb(LARGE_SIDE, LARGE_SIDE, colour=0),
    "png with alpha": lambda: a_png_bomb(7600, 7600, colour=6),
}


@pytest.fixture(scope="module")
def readers(reader: Reader) -> Iterator[dict[int, Reader]]:
    """Readers by their limits of memory (MiB). Each file has a process of its own."""
    with Reader(SECONDS, 128) as tight:
        yield {512: reader, 128: tight}


@needs_memory_limit
@pytest.mark.parametrize("make", GREEDY.values(), ids=GREEDY)
@pytest.mark.parametrize("megabytes", [512, 128])
def test_no_file_takes_more_memory_than_the_limit(
    make: Callable[[], bytes], megabytes: int, readers: dict[int, Reader], tmp_path: Path
) -> None:
    good, path = a_dicom_file(tmp_path / "good.dcm"), tmp_path / "film"
    path.write_bytes(make())
    reader = readers[megabytes]
    reader.display(good)
    base, child = peak_megabytes(reader), reader.pid
    outcome = result_of(path, reader)
    # A codec that gets no memory may end its process, whose peak is gone with it.
    if reader.pid == child:
        assert peak_megabytes(reader) - base <= megabytes
        assert outcome.what in (SHOWN, RefusalCode.TOO_LARGE)
    else:
        assert outcome.what == RefusalCode.DECODER_CRASHED
    assert reader.display(good).shape == (48, 64)


@needs_memory_limit
def test_the_memory_of_one_film_is_free_for_the_next(reader: Reader, tmp_path: Path) -> None:
    """Bomb after bomb in one child: what each took is given back."""
    path = tmp_path / "film"
    path.write_bytes(a_png_bomb(7600, 7600, colour=6))
    ends = {result_of(path, reader).what for _ in range(2)}
    assert ends == {RefusalCode.TOO_LARGE.value}
    assert result_of(a_dicom_file(tmp_path / "good.dcm"), reader).what == SHOWN


def refusal_of(reader: Reader, path: Path) -> Refused:
    """As a worker gets it: a reading that was given too little processor time begins anew."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            reader.film(path, LEAST_SIDE)
        except Refused as refused:
            return refused
        except ReadingInterrupted:
            assert time.monotonic() < end, "the machine never gave it a second"


def test_a_file_that_takes_too_long_is_refused_in_time(tmp_path: Path) -> None:
    """A small JPEG refines sixteen million pixels a thousand times: half a minute and more."""
    good, path = a_dicom_file(tmp_path / "good.dcm"), tmp_path / "film.jpg"
    path.write_bytes(a_jpeg_of_many_scans(4000, 2000))
    assert path.stat().st_size < 200_000
    with Reader(SECONDS, 512) as reader:
        assert reader.header(path).rows == 4000
        slow = reader.pid
        # Less than one whole second, with what its header took.
        reader.seconds = 0.9
        assert refusal_of(reader, path).code is RefusalCode.DECODER_TIMEOUT
        assert slow is not None
        with pytest.raises(ProcessLookupError):
            os.kill(slow, 0)
        reader.seconds = SECONDS
        assert reader.display(good).shape == (48, 64)


def test_a_codec_that_aborts_takes_only_its_child(reader: Reader, tmp_path: Path) -> None:
    """GDCM throws where nobody catches: the C++ runtime aborts its process."""
    good, path = a_dicom_file(tmp_path / "good.dcm"), tmp_path / "film.dcm"
    path.write_bytes(what_aborts_gdcm())
    assert reader.display(good).shape == (48, 64)
    child = reader.pid
    with pytest.raises(Refused) as caught:
        reader.display(path)
    assert caught.value.code is RefusalCode.DECODER_CRASHED
    assert child is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    # What comes next is read as before, by a new one.
    assert reader.display(good).shape == (48, 64)
    assert not list(Path.cwd().glob("core*"))
