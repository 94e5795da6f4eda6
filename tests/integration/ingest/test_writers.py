"""Files that somebody still writes: by a handle, by a mapping, by another user, or while copied."""

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from ingest.inbox.confined_paths import open_regular
from ingest.inbox.store import Store
from ingest.inbox.watcher.stability import Writers, unchanged
from ingest.reader.reader_process import Reader
from readfirst.errors import BeingWritten
from readfirst.inbox_issues import InboxIssueCode
from tests.support.files import a_dicom_file, a_gradient
from tests.support.requirements import require
from tests.support.watchers import INCOMPLETE, STABLE, STEP, Looker

NOBODY = 65534
WRITER = "import sys; file = open(sys.argv[1], 'r+b'); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def looker(inbox: Path, reader: Reader) -> Iterator[Looker]:
    opened = Looker(inbox, reader)
    yield opened
    opened.watcher.close()


@pytest.fixture
def film(inbox: Path) -> Path:
    return a_dicom_file(inbox / "film.dcm", a_gradient(200, 300) + np.uint8(1))


@contextmanager
def another_process_writes(path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield
        process.communicate()


@contextmanager
def a_mapping_writes(path: Path) -> Iterator[None]:
    """A program may close its handle and go on writing into memory (mmap(2))."""
    with path.open("r+b") as file:
        mapping = mmap.mmap(file.fileno(), 0)
    with mapping:
        yield


@pytest.mark.parametrize("way", [another_process_writes, a_mapping_writes])
def test_a_file_that_is_open_for_writing_is_not_taken_and_reported(
    looker: Looker, film: Path, way: object
) -> None:
    assert callable(way)
    with way(film):
        assert looker.within(STABLE + INCOMPLETE - STEP) == []
        assert looker.watcher.issues() == frozenset()
        assert looker.within(100 * INCOMPLETE) == []
        (issue,) = looker.watcher.issues()
        assert (issue.code, issue.relative_path) == (InboxIssueCode.OPEN_FOR_WRITING, "film.dcm")
        assert looker.scan() == []
        assert len(looker.watcher.issues()) == 1
    assert looker.until(film) == [film]
    assert looker.watcher.issues() == frozenset()


def test_who_reads_a_film_does_not_keep_it_from_being_taken(looker: Looker, film: Path) -> None:
    with film.open("rb"):
        assert looker.until(film) == [film]


def test_a_preallocated_film_is_taken_once_it_is_written_to_its_end(
    looker: Looker, film: Path
) -> None:
    """As Samba shows it for Windows Explorer: of full size first, and written with pauses."""
    content = film.read_bytes()
    with film.open("r+b", buffering=0) as file:
        file.truncate(0)
        file.truncate(len(content))
        file.write(content[: len(content) // 2])
        assert looker.within(STABLE + 2 * INCOMPLETE) == []
        file.write(content[len(content) // 2 :])
    assert looker.until(film) == [film]
    assert film.read_bytes() == content


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9])
def test_a_film_that_ends_in_zeros_is_given_time_though_nobody_has_it_open(
    looker: Looker, film: Path, share: float
) -> None:
    """As on a network share, where the writer is on another machine."""
    content = film.read_bytes()
    film.write_bytes(content[: round(share * len(content))].ljust(len(content), b"\0"))
    assert looker.within(STABLE + INCOMPLETE - STEP) == []
    film.write_bytes(content)
    assert looker.until(film) == [film]


def test_a_film_that_ends_in_zeros_is_taken_in_the_end(looker: Looker, film: Path) -> None:
    film.write_bytes(film.read_bytes()[:40_000].ljust(film.stat().st_size, b"\0"))
    assert looker.within(STABLE + INCOMPLETE - STEP) == []
    assert looker.until(film) == [film]


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("owner", [0, NOBODY])
def test_a_normal_user_sees_who_writes_a_file(owner: int) -> None:
    """The kernel answers for a file of the user; for another's, processes of the user are asked."""
    require("root", os.geteuid() == 0)
    # Not below the folders of pytest, which are shut to others.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        film = a_dicom_file(Path(folder) / "film.dcm")
        os.chown(film, owner, owner)
        with film.open("r+b"), as_nobody():
            assert Writers().has(film)
        with film.open("rb"), as_nobody():
            assert not Writers().has(film)


def test_writers_are_asked_of_a_file_that_is_gone(tmp_path: Path) -> None:
    assert not Writers().has(tmp_path / "gone")


@pytest.mark.parametrize("change", ["grows", "is rewritten", "is another file"])
def test_what_changes_while_it_is_read_is_not_accepted(film: Path, change: str) -> None:
    def reading_while_it_changes() -> None:
        with unchanged(film):
            if change == "grows":
                with film.open("ab") as file:
                    file.write(b"more")
            elif change == "is rewritten":
                before = film.stat()
                with film.open("r+b") as file:
                    file.write(b"other")
                # Some writers set the time back.
                os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))
            else:
                film.rename(film.with_name("old.dcm"))
                film.write_bytes(film.with_name("old.dcm").read_bytes())

    with pytest.raises(BeingWritten):
        reading_while_it_changes()


def test_the_store_keeps_nothing_of_a_file_that_changes_meanwhile(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows as soon as somebody reads it."""
    store = Store(tmp_path / "store")

    def open_and_write(path: Path) -> int:
        descriptor = open_regular(path)
        with path.open("ab") as file:
            file.write(b"more")
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr("ingest.inbox.store.open_regular", open_and_write)
        with pytest.raises(BeingWritten):
            store.keep(film)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    assert store.keep(film).size == film.stat().st_size
