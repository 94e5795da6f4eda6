"""The broker's socket of a home with a long path: in a folder that nobody else can be in."""

import os
from pathlib import Path

import pytest

from readfirst.files.short_socket import MAX_SOCKET_PATH, NOTE, make_broker_socket
from readfirst.settings import Settings
from tests.support.requirements import require


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / ("x" * 120)
    home.mkdir()
    return home


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's folder of temporary files."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", None)


def test_a_short_home_has_its_socket_in_it(tmp_path: Path) -> None:
    home = Path("/srv/readfirst")
    assert Settings(home=home).broker_socket == home / "valkey" / "valkey.sock"


@pytest.mark.usefixtures("temporary")
def test_a_long_home_remembers_a_private_folder_of_a_random_name(home: Path) -> None:
    socket = make_broker_socket(home)
    assert len(str(socket).encode()) <= MAX_SOCKET_PATH
    status = socket.parent.stat()
    assert (status.st_mode & 0o777, status.st_uid) == (0o700, os.geteuid())
    assert Settings(home=home).broker_socket == socket == make_broker_socket(home)
    (home / NOTE).unlink()
    other = make_broker_socket(home)
    assert other.parent != socket.parent
    for each in (socket, other):
        each.parent.rmdir()


@pytest.mark.usefixtures("temporary")
def test_a_folder_that_others_may_write_into_or_that_is_gone_is_used_no_more(
    home: Path, tmp_path: Path
) -> None:
    first = make_broker_socket(home).parent
    first.chmod(0o777)
    second = make_broker_socket(home).parent
    assert second != first
    second.rmdir()
    # Somebody else laid a link there.
    second.symlink_to(first)
    third = make_broker_socket(home).parent
    assert third not in (first, second)
    second.unlink()
    first.rmdir()
    third.rmdir()
    # Nobody connects to it, and nobody takes it for one that may be there.
    assert Settings(home=home).broker_socket.is_relative_to(home)


@pytest.mark.usefixtures("temporary")
def test_a_folder_of_somebody_else_is_used_no_more(home: Path) -> None:
    require("another user", os.geteuid() == 0)
    first = make_broker_socket(home).parent
    os.chown(first, 65534, 65534)
    second = make_broker_socket(home).parent
    assert second != first
    first.rmdir()
    second.rmdir()
