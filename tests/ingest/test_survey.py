"""One walk through the inbox: what may be taken, and what is in the way."""

import os
import stat
from pathlib import Path

import pytest

from ingest.claim import hold_inbox
from ingest.survey import survey
from readfirst.notices import NoticeCode
from tests.ingest.builders import a_dicom_file


def found(inbox: Path, unfinished_seconds: float = 3600) -> dict[str, NoticeCode | None]:
    return {
        one.path.relative_to(inbox).as_posix(): one.code
        for one in survey(inbox, unfinished_seconds)
    }


def test_files_in_folders_are_found_and_hidden_things_are_none_of_its_business(inbox: Path) -> None:
    for name in ("a/b/c/1.dcm", "2", ".hidden", ".git/3", ".readfirst/4", "spare.dcm~", "5.part"):
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).touch()
    assert found(inbox) == {"a/b/c/1.dcm": None, "2": None}


def test_a_partial_name_that_nobody_writes_to_any_more_is_told(inbox: Path) -> None:
    (inbox / "film.dcm.part").touch()
    assert found(inbox) == {}
    assert found(inbox, unfinished_seconds=-1) == {"film.dcm.part": NoticeCode.UNFINISHED}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices_are_told_and_not_opened(inbox: Path) -> None:
    try:
        os.mknod(inbox / "zero.dcm", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices can be made here")
    assert found(inbox) == {"zero.dcm": NoticeCode.SPECIAL_FILE}


def test_links_that_go_in_circles_are_told_and_not_followed(inbox: Path) -> None:
    (inbox / "ward").mkdir()
    (inbox / "ward" / "up").symlink_to(inbox, target_is_directory=True)
    a_dicom_file(inbox / "ward" / "film.dcm")
    assert found(inbox) == {"ward/up": NoticeCode.LINK, "ward/film.dcm": None}


def test_an_inbox_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert list(survey(gone)) == []
    with pytest.raises(FileNotFoundError):
        hold_inbox(gone).__enter__()
    assert not gone.exists()
