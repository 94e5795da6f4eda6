"""Code that takes over the process of a file can read that file, and nothing else."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.reader import reader_process
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.support.files import a_dicom_file, a_gradient
from tests.support.platforms import needs_linux, needs_memory_limit

pytestmark = needs_linux

ROOT = Path(__file__).parents[3]
#: What only Landlock stops, and what only seccomp stops.
BY_LANDLOCK = {
    "read the database",
    "read another film",
    "list the home",
    "write a file",
    "remove the film",
    "read another process",
}
BY_SECCOMP = {
    "change the film",
    "end another process",
    "reach a port",
    "reach a socket",
    "start a program",
    "become a program",
    "fork",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    sqlite3.connect(folder / "readfirst.db").close()
    (folder / "readfirst.db").write_bytes(b"patients")
    a_dicom_file(folder / "other.dcm")
    return folder


@pytest.fixture
def listening(home: Path) -> Iterator[dict[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as broker:
        broker.bind(str(home / "socket"))
        broker.listen()
        yield {"port": port.getsockname()[1], "socket": str(home / "socket")}


@pytest.fixture(scope="module")
def taken_over() -> Iterator[Reader]:
    """A reader that has a hostile process for each file, started where settings hold a password."""
    with Reader(120, 512) as reader:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("READFIRST_DATABASE_URL", "postgresql://user:secret@host/db")
            patch.setattr(reader_process, "CHILD", "tests.support.hostile_child")
            reader.header(sample_files()[0])
        yield reader


@pytest.fixture
def report(home: Path, listening: dict[str, Any], taken_over: Reader) -> dict[str, Any]:
    aims = {
        "home": str(home),
        "database": str(home / "readfirst.db"),
        "other": str(home / "other.dcm"),
        "parent": os.getpid(),
        **listening,
    }
    head, _ = taken_over._ask("payload", a_dicom_file(home / "film.dcm"), **aims)
    answer: dict[str, Any] = head["header"]
    return answer


def has(means: str, report: dict[str, Any]) -> bool:
    """True where the kernel has these means; where it has not, `doctor` says so."""
    return any(each.startswith(means) for each in report["means"])


def test_no_other_file_can_be_read_or_written(report: dict[str, Any], home: Path) -> None:
    assert set(report["attempts"]) == BY_LANDLOCK | BY_SECCOMP
    worked = {name for name in BY_LANDLOCK if report["attempts"][name] == "worked"}
    assert not worked or not has("Landlock", report)
    assert report["film"] == (home / "film.dcm").stat().st_size


def test_no_network_no_program_and_no_process_can_be_reached(report: dict[str, Any]) -> None:
    reasons = {report["attempts"][name] for name in BY_SECCOMP}
    assert reasons == {"Operation not permitted"} or not has("seccomp", report)


def test_no_privileges_no_settings_and_no_descriptors_are_handed_down(
    report: dict[str, Any],
) -> None:
    assert report["no_new_privs"] == 1 or not report["means"]
    # GDCM and Python add one each.
    ours, added = {"PYTHONPATH", "OPENBLAS_NUM_THREADS"}, {"GDCM_RESOURCES_PATH", "LC_CTYPE"}
    assert ours <= set(report["environment"]) <= ours | added
    # The three standard ones, three pipes, and the size of its own memory.
    assert report["descriptors"] == 7


def test_each_file_is_read_by_a_process_that_no_other_file_has_touched(
    home: Path, taken_over: Reader
) -> None:
    """Whoever takes over the process of one film can falsify no other film."""
    first = taken_over._ask("process", a_dicom_file(home / "film.dcm"))[0]["process"]
    again = taken_over._ask("process", home / "film.dcm")[0]["process"]
    other = taken_over._ask("process", home / "other.dcm")[0]["process"]
    assert first == again
    assert other not in (first, os.getpid())


def test_a_file_that_is_left_is_read_by_another_process_the_next_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "CHILD", "tests.support.hostile_child")
    film = a_dicom_file(home / "film.dcm")
    with Reader(120, 512) as reader:
        reader.leave()
        first = reader._ask("process", film)[0]["process"]
        reader.leave()
        reader.leave()
        assert reader._ask("process", film)[0]["process"] != first
    reader.leave()


def test_the_process_of_a_film_imports_nothing(home: Path, taken_over: Reader) -> None:
    """Confinement too: all that is needed is imported once, before the fork."""
    film = a_dicom_file(home / "film.dcm")
    taken_over.header(film)
    taken_over.corrected_film(film, 224)
    facts = taken_over._ask("imported", film)[0]
    assert facts == {"imported": [], "unused": [], "collects": True}


@needs_memory_limit
def test_malformed_films_take_no_memory_from_the_films_behind_them(tmp_path: Path) -> None:
    large = a_dicom_file(tmp_path / "large.dcm", a_gradient(4300, 3500, bits=16))
    hungry = a_dicom_file(tmp_path / "hungry.dcm", a_gradient(5000, 5000, bits=16))
    with Reader(120, 150) as reader:
        for _ in range(4):
            with pytest.raises(Refused) as caught:
                reader.display(hungry)
            assert caught.value.code is RefusalCode.TOO_LARGE
        assert reader.display(large).shape == (4300, 3500)


def test_the_memory_of_our_own_film_is_given_back_before_a_process_is_forked() -> None:
    memory = "next(line for line in open('/proc/self/status') if line.startswith('RssAnon'))"
    program = f"""
import gc
gc.disable()
from ingest.reader import reader_child
reader_child.load_codecs()
reader_child.sandbox.prepare()
print({memory})
"""
    command = [sys.executable, "-c", program]
    kept = subprocess.check_output(command, cwd=ROOT, text=True, stderr=subprocess.DEVNULL)
    with Reader(120, 512) as reader:
        reader.header(sample_files()[0])
        status = Path(f"/proc/{reader.pid}/status").read_text()
    given_back = kilobytes_of("RssAnon", kept) - kilobytes_of("RssAnon", status)
    assert given_back > 1024


def kilobytes_of(name: str, status: str) -> int:
    """A figure of /proc/PID/status."""
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
