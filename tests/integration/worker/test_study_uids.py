"""Studies whose files bring no valid Study Instance UID, from real files to rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from db.images import ArrivalOutcome
from db.read_models import StudyRecord
from db.worklist.queries import reading_order
from ingest.inbox.claim import Claim
from readfirst.samples import FOLDER
from tests.support.raw_values import with_raw_value
from tests.support.studies import AS_STORED
from tests.support.workers import Worker
from worklist.pages.studies.facts import pacs_link

Drop = Callable[..., Claim]
BY_UID = "https://pacs.example/viewer?uid={study_instance_uid}"
BY_ACCESSION = "https://pacs.example/open?a={accession_number}"
LONG = b"1.2.826.0.1.3680043.10.363.5421649119139350670558684743636101576.101"
INVALID = [LONG, b"1.2.276.0.7230010.3.A1B2.77", b"1.2..3", b"UNKNOWN", b"1.2 .3"]


def a_film(folder: Path, number: int, uid: bytes | None, **attributes: Any) -> Path:
    """A film of the samples, with this in the place of its Study Instance UID; None: nothing."""
    dataset = dcmread(FOLDER / f"study-0{number}.dcm")
    values = {"PatientID": "SAME", "PatientName": "Invented^Same", "PatientBirthDate": "20211005"}
    for keyword, value in (values | attributes).items():
        setattr(dataset, keyword, value)
    if uid is None:
        del dataset.StudyInstanceUID
    path = folder / f"{number}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    if uid is not None:
        path.write_bytes(with_raw_value(path.read_bytes(), "StudyInstanceUID", uid))
    return path


def rows_of(worker: Worker) -> list[StudyRecord]:
    with worker.database.read() as session:
        return reading_order(session, limit=20, display=AS_STORED)


def codes(row: StudyRecord) -> list[str]:
    return [warning.code for warning in row.warnings]


def take_in(worker: Worker, drop: Drop, *films: Path) -> list[StudyRecord]:
    for film in films:
        assert worker.take_in(drop(film, film.name)) is ArrivalOutcome.RECEIVED
    return rows_of(worker)


@pytest.mark.parametrize("uid", INVALID)
def test_films_of_one_patient_under_one_invalid_uid_are_one_study(
    worker: Worker, drop: Drop, tmp_path: Path, uid: bytes
) -> None:
    (row,) = take_in(worker, drop, *(a_film(tmp_path, number, uid) for number in (1, 6)))
    assert len(row.images) == 2
    assert row.study_instance_uid_made_here
    assert row.study_instance_uid.startswith("2.25.")
    assert row.invalid_study_instance_uid == uid.decode()
    assert row.shared_study_instance_uid is None
    assert codes(row) == ["study_instance_uid_made_here"]
    assert pacs_link(BY_UID, row) is None
    assert pacs_link(BY_ACCESSION, row) is not None
    assert not any(image.sop_instance_uid_made_here for image in row.images)


def test_films_without_a_patient_id_are_known_by_name_and_birth_date(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    films = [a_film(tmp_path, number, LONG, PatientID=None) for number in (1, 6)]
    (row,) = take_in(worker, drop, *films)
    assert len(row.images) == 2


def test_films_that_name_no_patient_never_come_together_by_an_invalid_uid(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    nobody = {"PatientID": None, "PatientName": None, "PatientBirthDate": None}
    known = a_film(tmp_path, 2, b"UNKNOWN")
    films = [a_film(tmp_path, number, b"UNKNOWN", **nobody) for number in (1, 6)]
    rows = take_in(worker, drop, known, *films)
    assert [len(row.images) for row in rows] == [1, 1, 1]
    assert all(codes(row) == ["study_instance_uid_made_here"] for row in rows)


def test_two_patients_under_one_invalid_uid_are_kept_apart(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    other = {"PatientID": "OTHER", "PatientName": "Else^Some", "AccessionNumber": "A-2"}
    films = (a_film(tmp_path, 1, LONG), a_film(tmp_path, 6, LONG, **other))
    for row in take_in(worker, drop, *films):
        assert codes(row) == ["study_of_two_patients", "study_instance_uid_made_here"]
        assert row.study_instance_uid_made_here
        assert row.shared_study_instance_uid is None
        assert pacs_link(BY_UID, row) is None


@pytest.mark.parametrize("uid", [None, b"", b"  ", b"\0"])
def test_a_film_without_a_study_uid_is_a_study_of_its_own(
    worker: Worker, drop: Drop, tmp_path: Path, uid: bytes | None
) -> None:
    rows = take_in(worker, drop, *(a_film(tmp_path, number, uid) for number in (1, 6)))
    assert [len(row.images) for row in rows] == [1, 1]
    for row in rows:
        assert row.study_instance_uid_made_here
        assert row.invalid_study_instance_uid is None
        assert "study_instance_uid_made_here" in codes(row)
        assert pacs_link(BY_UID, row) is None


@pytest.mark.parametrize("uid", [b"1.2.3", b"1.2.3\0", b"1.2.3 ", b" 1.2.3"])
def test_padding_parts_no_study(worker: Worker, drop: Drop, tmp_path: Path, uid: bytes) -> None:
    films = (a_film(tmp_path, 1, b"1.2.3"), a_film(tmp_path, 6, uid))
    (row,) = take_in(worker, drop, *films)
    assert row.study_instance_uid == "1.2.3"
    assert not row.study_instance_uid_made_here
    assert codes(row) == []
    assert pacs_link(BY_UID, row) == "https://pacs.example/viewer?uid=1.2.3"


def test_leading_zeros_are_left_as_the_pacs_has_them(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    (row,) = take_in(worker, drop, *(a_film(tmp_path, number, b"1.2.003") for number in (1, 6)))
    assert (row.study_instance_uid, len(row.images)) == ("1.2.003", 2)
    assert pacs_link(BY_UID, row) == "https://pacs.example/viewer?uid=1.2.003"


@pytest.mark.parametrize("uid", [b"1.2.B", b"1." + b"2" * 66, b""])
def test_an_invalid_uid_of_an_image_is_made_of_its_content(
    worker: Worker, drop: Drop, tmp_path: Path, uid: bytes
) -> None:
    """Two films with the same invalid UID are two: neither may be lost for the other."""
    films = []
    for number in (1, 6):
        film = a_film(tmp_path, number, b"1.2.3")
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
            film.write_bytes(with_raw_value(film.read_bytes(), keyword, uid))
        films.append(film)
    (row,) = take_in(worker, drop, *films)
    assert [image.sop_instance_uid_made_here for image in row.images] == [True, True]
    assert not row.study_instance_uid_made_here


def test_a_picture_has_a_uid_made_here_and_nobody_misses_another(
    worker: Worker, drop: Drop
) -> None:
    worker.take_in(drop(FOLDER / "film-01.jpg"))
    (row,) = rows_of(worker)
    assert row.study_instance_uid_made_here
    assert row.images[0].sop_instance_uid_made_here
    assert codes(row) == []
    assert pacs_link(BY_UID, row) is None


def test_another_patient_under_a_valid_uid_still_leads_to_the_pacs(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    other = {"PatientID": "OTHER", "PatientName": "Else^Some", "AccessionNumber": "A-2"}
    films = (a_film(tmp_path, 1, b"1.2.3"), a_film(tmp_path, 6, b"1.2.3", **other))
    rows = take_in(worker, drop, *films)
    assert [row.study_instance_uid_made_here for row in rows] == [False, True]
    for row in rows:
        assert codes(row) == ["study_of_two_patients"]
        assert pacs_link(BY_UID, row) == "https://pacs.example/viewer?uid=1.2.3"
