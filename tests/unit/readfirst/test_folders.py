"""Folders that cannot be used, each with a sentence."""

from pathlib import Path

import pytest

from readfirst.errors import Misconfigured
from readfirst.files.folders import folder_fault, make_folder, make_home, os_fault


def test_a_folder_that_can_be_used_has_no_fault(tmp_path: Path) -> None:
    assert folder_fault(tmp_path) is None
    assert make_folder(tmp_path / "a" / "b") is None
    assert (tmp_path / "a" / "b").is_dir()


def test_what_is_in_the_way_is_told(tmp_path: Path) -> None:
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    assert folder_fault(tmp_path / "gone") == f"{tmp_path / 'gone'} is not there."
    assert folder_fault(file) == make_folder(file) == f"{file} is no folder."
    assert make_folder(file / "in") == f"{file / 'in'} cannot be made: Not a directory."
    assert make_folder(loop)
    with pytest.raises(Misconfigured, match=r"^READFIRST_HOME: .*file is no folder\. Make it"):
        make_home(file)


@pytest.mark.parametrize(
    ("mode", "words"), [(0o300, "cannot be read"), (0o500, "cannot be written to")]
)
def test_permissions_that_lack_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, words: str
) -> None:
    """As `access` says them: the tests may run as root, to whom nothing is forbidden."""
    import os

    def access(_: Path, wanted: int) -> bool:
        return mode >> 6 & wanted == wanted

    monkeypatch.setattr(os, "access", access)
    assert words in (folder_fault(tmp_path) or "")
    with pytest.raises(Misconfigured, match=words):
        make_home(tmp_path)
    make_home(tmp_path, to_write=False)


def test_an_error_of_the_system_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as raised:
        (tmp_path / "esc\x1b").open()
    assert os_fault(raised.value) == rf"{tmp_path}/esc\x1b: No such file or directory."
    assert os_fault(OSError(28, "No space left on device")) == "No space left on device."
