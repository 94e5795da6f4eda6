"""Faults around the files: processes, permissions, names, disks."""

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.dicom.pixels.grey import grey_display
from ingest.inbox.claim import claim, leftovers
from ingest.inbox.release import give_back, release
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from readfirst.errors import Unavailable
from tests.support.files import a_dataset, a_dicom_file
from tests.support.waiting import stand_still
from tests.support.watchers import Looker, when_asked


@pytest.fixture
def not_started() -> Iterator[Reader]:
    with Reader(120, 512) as opened:
        yield opened


def stop(reader: Reader) -> None:
    """Let the child stand still, whatever it is asked."""
    assert reader.pid is not None
    stand_still(reader.pid)


def test_an_answer_that_was_broken_off_is_never_taken_for_the_next_film(
    reader: Reader, tmp_path: Path
) -> None:
    bright = a_dicom_file(tmp_path / "one.dcm", np.full((30, 30), 250, np.uint8), WindowWidth=None)
    other = a_dicom_file(tmp_path / "two.dcm", np.zeros((10, 20), np.uint8))
    reader.header(bright)
    stop(reader)

    def break_off(number: int, frame: object) -> None:
        raise InterruptedError("a task's time limit")

    before = signal.signal(signal.SIGALRM, break_off)
    # Python runs what a signal asks for in this, the main thread.
    broken_off = when_asked(reader, lambda _: os.kill(os.getpid(), signal.SIGALRM))
    try:
        with broken_off, pytest.raises(InterruptedError):
            reader.display(bright)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert reader.display(other).shape == (10, 20)


def test_a_child_that_cannot_start_blames_no_film(
    not_started: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The interpreter is what the child needs first.
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(Unavailable, match="does not start"):
        not_started.header(a_dicom_file(tmp_path / "good.dcm"))
    monkeypatch.undo()
    assert not_started.header(tmp_path / "good.dcm").rows == 48


def test_a_child_that_died_between_two_films_costs_none(reader: Reader, tmp_path: Path) -> None:
    good = a_dicom_file(tmp_path / "good.dcm")
    reader.header(good)
    pid = reader.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert reader.display(good).shape == (48, 64)


def test_names_that_are_no_text_become_text(inbox: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(inbox) + b"/f\xff\xfelm.dcm"))
    path.write_bytes(b"film")
    claimed = claim(inbox, path)
    assert claimed is not None
    assert claimed.relative_path.as_posix().encode() == "f\ufffd\ufffdlm.dcm".encode()
    assert claimed.path.read_bytes() == b"film"
    assert leftovers(inbox) == [claimed]
    give_back(inbox, claimed)
    assert path.read_bytes() == b"film"
    again = claim(inbox, path)
    assert again is not None
    release(again)
    assert list((inbox / ".readfirst").iterdir()) == []


def test_a_path_too_long_to_be_moved_stays(inbox: Path) -> None:
    deep = inbox
    while len(str(deep)) < 4040:
        deep /= "d" * min(200, 4055 - len(str(deep)) - 1)
    deep.mkdir(parents=True)
    path = deep / "f.dcm"
    path.write_bytes(b"film")
    with pytest.raises(OSError, match="too long"):
        claim(inbox, path)
    assert path.read_bytes() == b"film"
    assert leftovers(inbox) == []


def test_folders_deeper_than_python_descends_stop_nothing(inbox: Path, reader: Reader) -> None:
    film = a_dicom_file(inbox / "film.dcm")
    deep = inbox
    try:
        for _ in range(sys.getrecursionlimit() + 50):
            deep /= "d"
            deep.mkdir()
        lost = deep / "film.dcm"
        lost.write_bytes(film.read_bytes())
        looker = Looker(inbox, reader)
        looker.until(film, lost)
        looker.watcher.close()
        assert claim(inbox, film) is not None
        with pytest.raises(OSError, match="folders"):
            claim(inbox, lost)
        assert lost.exists()
    finally:
        # What would clear up after the test descends no deeper.
        (deep / "film.dcm").unlink(missing_ok=True)
        while deep != inbox:
            deep.rmdir()
            deep = deep.parent


def test_a_link_that_took_a_files_place_is_not_followed(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    link = inbox / "film.dcm"
    link.symlink_to(tmp_path / "secret")
    assert claim(inbox, link) is None
    assert link.is_symlink()
    (inbox / ".readfirst" / "0").mkdir()
    (inbox / ".readfirst" / "0" / "film.dcm").symlink_to(tmp_path / "secret")
    assert leftovers(inbox) == []


def test_a_file_that_nobody_could_claim_is_offered_again(inbox: Path, reader: Reader) -> None:
    path = a_dicom_file(inbox / "film.dcm")
    looker = Looker(inbox, reader)
    first = looker.until(path)
    again = looker.scan() + looker.until(path)
    looker.watcher.close()
    assert (first, again) == ([path], [path]), "permissions may have changed"


def test_a_full_disk_is_a_passing_trouble_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source = tmp_path / "film"
    source.write_bytes(b"film")
    store = Store(tmp_path / "store")
    # No disk is at hand to be filled.
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unavailable, match="full"):
        store.keep(source)
    monkeypatch.undo()
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_a_stored_file_that_a_crash_cut_short_is_mended(tmp_path: Path) -> None:
    source = tmp_path / "film"
    source.write_bytes(b"film" * 1000)
    store = Store(tmp_path / "store")
    stored = store.keep(source)
    os.truncate(store.path(stored.sha256), 100)
    assert store.keep(source) == stored
    assert store.path(stored.sha256).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_values_at_both_ends_of_sixteen_bits_are_shown(dtype: type[np.integer]) -> None:
    ends = np.iinfo(dtype)
    pixels = np.array([[ends.min, ends.max]], dtype=dtype)
    assert grey_display(pixels, a_dataset(pixels)).tolist() == [[0, 255]]


def test_a_large_film_of_sixteen_bits_is_shown_within_the_memory_limit(tmp_path: Path) -> None:
    rows, columns = 4300, 3500
    pixels = np.arange(rows * columns, dtype=np.uint32).astype(np.uint16).reshape(rows, columns)
    path = a_dicom_file(tmp_path / "film.dcm", pixels, WindowCenter=30000, WindowWidth=20000)
    with Reader(120, 150) as tight:
        assert tight.display(path).shape == (rows, columns)


def test_copies_that_a_crash_left_half_done_are_swept_and_others_are_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (tmp_path / "film").write_bytes(b"film")
    kept = store.keep(tmp_path / "film")
    left, at_work = (store.root / f".{name}.part" for name in ("left", "at-work"))
    for path in (left, at_work):
        path.write_bytes(b"fi")
    two_hours_ago = time.time() - 7200
    for path in (left, store.path(kept.sha256)):
        os.utime(path, (two_hours_ago, two_hours_ago))
    assert store.sweep() == 1
    assert (left.exists(), at_work.exists(), store.has(kept.sha256)) == (False, True, True)
    assert Store(tmp_path / "not-there").sweep() == 0
