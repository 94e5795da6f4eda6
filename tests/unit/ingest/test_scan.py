"""The scan of the inbox: the files that may be taken, and the entries that cannot."""

import os
import stat
from pathlib import Path

import pytest

from ingest.inbox.inbox_lock import hold_inbox
from ingest.inbox.watcher.scan import scan
from readfirst.inbox_issues import InboxIssueCode
from tests.support.files import a_dicom_file
from tests.support.requirements import require


def codes(inbox: Path, unfinished_seconds: float = 3600) -> dict[str, InboxIssueCode | None]:
    return {
        entry.path.relative_to(inbox).as_posix(): entry.code
        for entry in scan(inbox, unfinished_seconds)
    }


def test_files_in_folders_are_found_and_hidden_things_are_none_of_its_business(inbox: Path) -> None:
    for name in ("a/b/c/1.dcm", "2", ".hidden", ".git/3", ".readfirst/4", "spare.dcm~", "5.part"):
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).touch()
    assert codes(inbox) == {"a/b/c/1.dcm": None, "2": None}


def test_a_partial_name_that_nobody_writes_to_any_more_is_told(inbox: Path) -> None:
    (inbox / "film.dcm.part").touch()
    assert codes(inbox) == {}
    assert codes(inbox, unfinished_seconds=-1) == {"film.dcm.part": InboxIssueCode.UNFINISHED}


def test_devices_are_told_and_not_opened(inbox: Path) -> None:
    try:
        os.mknod(inbox / "zero.dcm", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        require("devices", False)
    assert codes(inbox) == {"zero.dcm": InboxIssueCode.SPECIAL_FILE}


def test_links_that_go_in_circles_are_told_and_not_followed(inbox: Path) -> None:
    (inbox / "ward").mkdir()
    (inbox / "ward" / "up").symlink_to(inbox, target_is_directory=True)
    a_dicom_file(inbox / "ward" / "film.dcm")
    assert codes(inbox) == {"ward/up": InboxIssueCode.LINK, "ward/film.dcm": None}


def test_an_inbox_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert list(scan(gone)) == []
    with pytest.raises(FileNotFoundError):
        hold_inbox(gone).__enter__()
    assert not gone.exists()
