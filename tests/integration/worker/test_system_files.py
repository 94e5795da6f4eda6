"""Files that Windows, macOS and people leave in a shared folder beside the films."""

from collections.abc import Callable
from pathlib import Path

import pytest

from db.images import ArrivalOutcome
from db.inbox.ignored_files import ignored_files
from db.session import Database
from db.worklist.adjacent_studies import most_urgent_unread
from db.worklist.counts import worklist_counts
from db.worklist.filters import WorklistFilter
from db.worklist.queries import counts, reading_order, study_exists
from db.worklist.refused import refused_counts, refused_images
from ingest.inbox.claim import Claim
from readfirst.domain import ImageState
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_dicom_file
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

Drop = Callable[..., Claim]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
LEFT_BEHIND = {
    "Thumbs.db": OLE,
    "THUMBS.DB": OLE,
    "Thumbs (2).db": OLE,
    "Thumbs.db:encryptable": b"\n",
    "ehthumbs.db": OLE,
    "ehthumbs_vista.db": OLE,
    "desktop.ini": b"[.ShellClassInfo]\r\n",
    "Desktop.ini": b"",
    "autorun.inf": b"[autorun]",
    "~$Report.docx": b"\x05Anna",
    "film.dcm.sha256": b"0" * 64,
    "film.dcm.lnk": b"L\0\0\0",
    "DICOMDIR": b"\x04\x00\x00\x12UI\x02\x00",
}


def rows(database: Database, which: WorklistFilter | None = None) -> list[str]:
    with database.read() as session:
        studies = reading_order(
            session, limit=99, display=AS_STORED, which=which or WorklistFilter()
        )
    return [image.file_name for study in studies for image in study.images]


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_systems_leave_behind_is_set_aside_and_listed(
    worker: Worker, drop: Drop, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_bytes(LEFT_BEHIND[name])
    assert worker.take_in(drop(tmp_path / "file", name)) is ArrivalOutcome.IGNORED
    with worker.database.read() as session:
        (ignored,) = ignored_files(session, limit=9)
        assert refused_counts(session) == {}
    assert ignored.relative_path == name
    assert worker.store.path(ignored.sha256).read_bytes() == LEFT_BEHIND[name]
    assert rows(worker.database) == []


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "DICOMDIR", "film.md5"])
def test_a_film_is_a_film_whatever_it_is_called(
    worker: Worker, drop: Drop, tmp_path: Path, name: str
) -> None:
    film = a_dicom_file(tmp_path / "film.dcm")
    assert worker.take_in(drop(film, name)) is ArrivalOutcome.RECEIVED
    film.write_bytes(film.read_bytes()[:-100] + b"x")
    cut = a_dicom_file(tmp_path / "cut.dcm")
    cut.write_bytes(cut.read_bytes()[:-100])
    assert worker.take_in(drop(cut, name)) is ArrivalOutcome.REFUSED, "half of one is missed"


WITHOUT_FILM = {
    "report.pdf": (b"%PDF-1.7 " * 99, "not_an_image"),
    "notes.txt": (b"call me back", "not_an_image"),
    "empty.dcm": (b"", "empty_file"),
    "letter.doc": (OLE, "not_an_image"),
}


@pytest.mark.parametrize("name", WITHOUT_FILM)
def test_a_file_without_any_film_is_counted_and_not_between_the_patients(
    worker: Worker, drop: Drop, tmp_path: Path, name: str
) -> None:
    content, code = WITHOUT_FILM[name]
    (tmp_path / "file").write_bytes(content)
    assert worker.take_in(drop(tmp_path / "file", name)) is ArrivalOutcome.REFUSED
    lateral = a_dicom_file(tmp_path / "lateral.dcm", ViewPosition="LL")
    worker.take_in(drop(lateral))
    assert rows(worker.database) == ["lateral.dcm"], "a refused film of a patient stays"
    assert rows(worker.database, WorklistFilter(unread=True)) == ["lateral.dcm"]
    assert sorted(rows(worker.database, WorklistFilter(refused=True))) == sorted(
        ["lateral.dcm", name]
    )
    with worker.database.read() as session:
        assert refused_counts(session) == {RefusalCode(code): 1, RefusalCode.VIEW_NOT_FRONTAL: 1}
        listed = {row.file_name: row for row in refused_images(session, limit=9)}
        assert counts(session).images[ImageState.REFUSED] == 2
        assert worklist_counts(session).unread == 1
        uid = listed[name].study_instance_uid
        assert study_exists(session, uid), "its page is there"
        assert most_urgent_unread(session) == listed["lateral.dcm"].study_instance_uid


@pytest.mark.parametrize(
    ("code", "is_on_list"),
    [
        (RefusalCode.ARCHIVE_ENCRYPTED, True),
        (RefusalCode.ARCHIVE_UNREADABLE, True),
        (RefusalCode.TRUNCATED, True),
        (RefusalCode.NO_PIXEL_DATA, True),
        (RefusalCode.ARCHIVE_WITHOUT_IMAGES, False),
    ],
)
def test_what_may_hold_a_film_stays_on_the_list(
    worker: Worker, drop: Drop, tmp_path: Path, code: RefusalCode, is_on_list: bool
) -> None:
    (tmp_path / "file").write_bytes(b"PK")
    worker.take_in(drop(tmp_path / "file"), refusal=Refused(code))
    assert bool(rows(worker.database)) is is_on_list
