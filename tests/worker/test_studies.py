"""Studies as hospitals send them, from real files to rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydicom import dcmread

from db.images import Outcome
from db.tables import Image
from db.views import StudyView
from db.worklist import reading_order
from ingest.claim import Claim, claim
from ingest.scope_rules import DEFAULTS, parse_rules
from models.ensemble import FixedEnsemble
from readfirst.domain import FileKind
from readfirst.samples import FOLDER
from tests.ingest.builders import a_dicom_file
from worker.assess import assess_ready
from worker.intake import take_in
from worker.prepare import prepare_next
from worker.resources import Resources

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


def rows_of(resources: Resources) -> list[StudyView]:
    with resources.database.read() as session:
        return reading_order(session, limit=20)


def score_all(resources: Resources) -> None:
    while prepare_next(resources):
        pass
    while assess_ready(resources):
        pass


def test_an_adult_is_refused_unless_the_site_says_otherwise(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    adult = a_copy(tmp_path / "a.dcm", PatientAge="040Y", PatientBirthDate="19850101")
    assert take_in(drop(adult), resources) is Outcome.REFUSED
    (row,) = rows_of(resources)
    assert row.images[0].code == "adult"
    assert "adult" in row.why


def test_a_marked_study_that_is_flagged_ranks_like_every_flagged_one(
    resources: Resources, drop: Drop, tmp_path: Path, ensemble: FixedEnsemble
) -> None:
    rules = parse_rules(DEFAULTS.read_text(), '[age]\nadults = "mark"')
    object.__setattr__(resources, "rules", rules)
    take_in(drop(FOLDER / "study-05.dcm"), resources)
    score_all(resources)
    adult = a_copy(tmp_path / "a.dcm", PatientAge="040Y", PatientBirthDate=None)
    assert take_in(drop(adult), resources) is Outcome.RECEIVED
    score_all(resources)
    _, row = rows_of(resources)
    assert [mark.code for mark in row.marks] == ["adult"]
    assert row.probability is not None


def test_a_picture_is_marked_since_nobody_knows_the_age(resources: Resources, drop: Drop) -> None:
    take_in(drop(FOLDER / "film-01.jpg"), resources)
    (row,) = rows_of(resources)
    assert [mark.code for mark in row.marks] == ["age_unknown"]
    assert row.images[0].kind == FileKind.JPEG


def test_a_child_of_the_population_has_no_mark(resources: Resources, drop: Drop) -> None:
    take_in(drop(FILM), resources)
    (row,) = rows_of(resources)
    assert row.marks == ()
    assert row.warnings == ()
    assert row.institution_name == "Invented Children's Hospital"
    assert row.referring_physician_name == "Invented^Physician"


@pytest.mark.parametrize("offset", ["+0900", None])
def test_times_are_in_the_zone_of_the_file_or_of_the_site(
    resources: Resources, drop: Drop, tmp_path: Path, offset: str | None
) -> None:
    settings = resources.settings.model_copy(update={"time_zone": "Europe/Madrid"})
    object.__setattr__(resources, "settings", settings)
    path = a_dicom_file(
        tmp_path / "film.dcm",
        StudyDate="20260712",
        StudyTime="0715",
        TimezoneOffsetFromUTC=offset,
        AcquisitionDateTime="20260712071600",
    )
    take_in(drop(path), resources)
    (row,) = rows_of(resources)
    hour = 22 if offset else 5
    day = 11 if offset else 12
    assert row.study_datetime == datetime(2026, 7, day, hour, 15, tzinfo=UTC)
    assert row.acquisition_datetime == datetime(2026, 7, day, hour, 16, tzinfo=UTC)


def test_a_time_at_the_end_of_all_calendars_refuses_nothing(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    settings = resources.settings.model_copy(update={"time_zone": "America/Lima"})
    object.__setattr__(resources, "settings", settings)
    assert settings.zone == ZoneInfo("America/Lima")
    path = a_dicom_file(tmp_path / "film.dcm", StudyDate="99991231", StudyTime="2359")
    assert take_in(drop(path), resources) is Outcome.RECEIVED
    assert rows_of(resources)[0].study_datetime is None


@pytest.mark.parametrize("folder", ["stat", "STAT", "north/Stat/today"])
def test_what_lies_in_a_stat_folder_is_stat(resources: Resources, folder: str) -> None:
    inbox = resources.settings.inbox_path
    path = inbox / folder / "film.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(FILM.read_bytes())
    claimed = claim(inbox, path)
    assert claimed is not None
    take_in(claimed, resources)
    assert rows_of(resources)[0].stat


def test_a_file_called_stat_is_routine_and_may_come_again_as_stat(
    resources: Resources, drop: Drop
) -> None:
    take_in(drop(FILM, "stat"), resources)
    assert not rows_of(resources)[0].stat
    again = resources.settings.inbox_path / "stat" / "film.dcm"
    (resources.settings.inbox_path / "stat").mkdir()
    again.write_bytes(FILM.read_bytes())
    claimed = claim(resources.settings.inbox_path, again)
    assert claimed is not None
    assert take_in(claimed, resources) is Outcome.DUPLICATE
    (row,) = rows_of(resources)
    assert row.stat
    with resources.database.read() as session:
        assert session.get_one(Image, 1).urgency == 0


def test_the_same_film_of_another_patient_is_kept_apart_and_reported(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    take_in(drop(FILM), resources)
    other = a_copy(tmp_path / "b.dcm", PatientID="SOMEBODY-ELSE")
    assert take_in(drop(other), resources) is Outcome.REFUSED
    rows = {row.patient_id: row for row in rows_of(resources)}
    assert rows["SOMEBODY-ELSE"].images[0].code == "patient_conflict"
    assert rows["DEMO-0009"].images[0].code is None
    for row in rows.values():
        assert [warning.code for warning in row.warnings] == [
            "study_of_two_patients",
            "accession_number_shared",
        ]
