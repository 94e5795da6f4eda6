from pathlib import Path

import pytest

from tests.support.vanishing import vanishes_when_listed
from worker.scoring.offline_scoring import files_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.dcm", "ward/a.dcm", "ward/deep/.c.dcm", ".d.dcm", ".git/e.dcm",
        ".git/objects/f.dcm", "ward/.cache/g.dcm",
    ):  # fmt: skip
        path = tmp_path / ".films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / ".films"


def test_hidden_files_and_what_lies_in_hidden_folders_is_left_out(folder: Path) -> None:
    assert files_in([folder]) == [folder / "b.dcm", folder / "ward" / "a.dcm"]


def test_what_is_named_is_taken_hidden_or_not(folder: Path) -> None:
    named = folder / ".d.dcm"
    assert files_in([named]) == [named]
    assert files_in([folder / ".git"]) == [
        folder / ".git" / "e.dcm",
        folder / ".git" / "objects" / "f.dcm",
    ]


def test_a_folder_that_vanishes_meanwhile_has_no_files(folder: Path, tmp_path: Path) -> None:
    with vanishes_when_listed(folder / "ward", tmp_path / "elsewhere"):
        assert files_in([folder]) == [folder / "b.dcm"]
