"""Where the folders of tests lie."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import memory_disk
from tests.support.memory_disk import LEAST_FOR_FILES, keep_files_in_memory, memory_folder

ROOT = "PYTEST_DEBUG_TEMPROOT"


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    """Give back what this session was told, whatever a test sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROOT, "")
        del os.environ[ROOT]
        yield


@pytest.mark.parametrize("chosen", [None, "/elsewhere"])
def test_folders_of_tests_lie_in_memory_unless_somebody_said_where(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = memory_folder(LEAST_FOR_FILES)
    expected = chosen or (str(folder) if folder else None)
    if chosen:
        monkeypatch.setenv(ROOT, chosen)
    keep_files_in_memory()
    assert os.environ.get(ROOT) == expected


def test_without_room_in_memory_they_lie_where_pytest_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory_disk, "MEMORY", tmp_path)
    assert memory_folder(least=2**62) is None
    assert memory_folder(least=0) == tmp_path
    monkeypatch.setattr(memory_disk, "LEAST_FOR_FILES", 2**62)
    keep_files_in_memory()
    assert ROOT not in os.environ
