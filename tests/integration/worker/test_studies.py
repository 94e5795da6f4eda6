"""Studies as hospitals send them, from real files to rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydicom import dcmread
from sqlalchemy import select

from db.images import ArrivalOutcome
from db.lifecycle.events import EventAction
from db.lifecycle.image import add_marks
from db.read_models import StudyRecord
from db.tables import Event, Image
from db.worklist.queries import reading_order
from ingest.inbox.claim import Claim, claim
from ingest.scope.scope_rules import DEFAULTS, parse_rules
from readfirst.domain import FileKind
from readfirst.samples import FOLDER
from readfirst.studies.marks import correction_marks
from readfirst.testing import FixedEnsemble
from tests.support.files import a_dicom_file
from tests.support.odd_films import a_table
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

Drop = Callable[..., Claim]
FILM = FOLDER / "study-01.dcm"


def a_copy(path: Path, **attributes: Any) -> Path:
    """The sample film with other attributes."""
    dataset = dcmread(FILM)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def rows_of(worker: Worker) -> list[StudyRecord]:
    with worker.database.read() as session:
        return reading_order(session, limit=20, display=AS_STORED)


def score_all(worker: Worker) -> None:
    while worker.prepare_next():
        pass
    while worker.score_batch():
        pass


def test_an_adult_is_refused_unless_the_site_says_otherwise(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    adult = a_copy(tmp_path / "a.dcm", PatientAge="040Y", PatientBirthDate="19850101")
    assert worker.take_in(drop(adult)) is ArrivalOutcome.REFUSED
    (row,) = rows_of(worker)
    assert row.images[0].code == "adult"
    assert "adult" in row.why


def test_a_marked_study_that_is_flagged_ranks_like_every_flagged_one(
    worker: Worker, drop: Drop, tmp_path: Path, ensemble: FixedEnsemble
) -> None:
    rules = parse_rules(DEFAULTS.read_text(), '[age]\nadults = "mark"')
    worker = replace(worker, rules=rules)
    worker.take_in(drop(FOLDER / "study-05.dcm"))
    score_all(worker)
    adult = a_copy(tmp_path / "a.dcm", PatientAge="040Y", PatientBirthDate=None)
    assert worker.take_in(drop(adult)) is ArrivalOutcome.RECEIVED
    score_all(worker)
    _, row = rows_of(worker)
    assert [mark.code for mark in row.marks] == ["adult"]
    assert row.probability is not None


def test_a_picture_is_marked_since_nobody_knows_the_age(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FOLDER / "film-01.jpg"))
    (row,) = rows_of(worker)
    assert [mark.code for mark in row.marks] == ["age_unknown"]
    assert row.images[0].kind == FileKind.JPEG


def test_a_child_of_the_population_has_no_mark(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FILM))
    (row,) = rows_of(worker)
    assert row.marks == ()
    assert row.warnings == ()
    assert row.institution_name == "Invented Children's Hospital"
    assert row.referring_physician_name == "Invented^Physician"


def test_a_film_whose_header_was_corrected_says_so_once(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    """Decoded once more, it is marked once."""
    table = a_table([value * 16 for value in range(256)], [256, 0, 16])
    worker.take_in(drop(a_copy(tmp_path / "a.dcm", VOILUTSequence=[table])))
    (row,) = rows_of(worker)
    assert row.marks == ()
    score_all(worker)
    (row,) = rows_of(worker)
    (mark,) = row.marks
    assert mark.code == "header_corrected"
    assert "(the VOI LUT has entries of 12 bits and says 16)" in mark.reason
    assert row.images[0].marks == row.marks
    with worker.database.write() as session:
        image = session.scalars(select(Image)).one()
        assert add_marks(image, correction_marks(["something else"])) == []
        assert [each.code for each in image.marks] == ["header_corrected"]
        assert "something else" in image.marks[0].reason
        events = session.scalars(select(Event).where(Event.action == EventAction.MARKED)).all()
        assert [event.detail["codes"] for event in events] == [["header_corrected"]]


def test_a_film_whose_header_fits_has_no_mark(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FILM))
    score_all(worker)
    (row,) = rows_of(worker)
    assert row.marks == ()


@pytest.mark.parametrize("offset", ["+0900", None])
def test_times_are_in_the_zone_of_the_file_or_of_the_site(
    worker: Worker, drop: Drop, tmp_path: Path, offset: str | None
) -> None:
    worker = worker.with_settings(time_zone="Europe/Madrid")
    path = a_dicom_file(
        tmp_path / "film.dcm",
        StudyDate="20260712",
        StudyTime="0715",
        TimezoneOffsetFromUTC=offset,
        AcquisitionDateTime="20260712071600",
    )
    worker.take_in(drop(path))
    (row,) = rows_of(worker)
    hour = 22 if offset else 5
    day = 11 if offset else 12
    assert row.study_datetime == datetime(2026, 7, day, hour, 15, tzinfo=UTC)
    assert row.acquisition_datetime == datetime(2026, 7, day, hour, 16, tzinfo=UTC)


def test_a_time_at_the_end_of_all_calendars_refuses_nothing(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker = worker.with_settings(time_zone="America/Lima")
    assert worker.settings.zone == ZoneInfo("America/Lima")
    path = a_dicom_file(tmp_path / "film.dcm", StudyDate="99991231", StudyTime="2359")
    assert worker.take_in(drop(path)) is ArrivalOutcome.RECEIVED
    assert rows_of(worker)[0].study_datetime is None


@pytest.mark.parametrize("folder", ["stat", "STAT", "north/Stat/today"])
def test_what_lies_in_a_stat_folder_is_stat(worker: Worker, folder: str) -> None:
    inbox = worker.settings.inbox_path
    path = inbox / folder / "film.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(FILM.read_bytes())
    claimed = claim(inbox, path)
    assert claimed is not None
    worker.take_in(claimed)
    assert rows_of(worker)[0].stat


def test_a_file_called_stat_is_routine_and_may_come_again_as_stat(
    worker: Worker, drop: Drop
) -> None:
    worker.take_in(drop(FILM, "stat"))
    assert not rows_of(worker)[0].stat
    again = worker.settings.inbox_path / "stat" / "film.dcm"
    (worker.settings.inbox_path / "stat").mkdir()
    again.write_bytes(FILM.read_bytes())
    claimed = claim(worker.settings.inbox_path, again)
    assert claimed is not None
    assert worker.take_in(claimed) is ArrivalOutcome.DUPLICATE
    (row,) = rows_of(worker)
    assert row.stat
    with worker.database.read() as session:
        assert session.get_one(Image, 1).urgency == 0


def test_the_same_film_of_another_patient_is_kept_apart_and_reported(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(FILM))
    other = a_copy(tmp_path / "b.dcm", PatientID="SOMEBODY-ELSE")
    assert worker.take_in(drop(other)) is ArrivalOutcome.REFUSED
    rows = {row.patient_id: row for row in rows_of(worker)}
    assert rows["SOMEBODY-ELSE"].images[0].code == "patient_conflict"
    assert rows["DEMO-0009"].images[0].code is None
    for row in rows.values():
        assert [warning.code for warning in row.warnings] == [
            "study_of_two_patients",
            "accession_number_shared",
        ]
