"""A film comes in once more, with news in its header, or whole after its own beginning."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID
from sqlalchemy import select

from db.images import ArrivalOutcome
from db.read_models import EventRecord, ScoreRecord, StudyRecord
from db.tables import Image, Score, Study
from db.worklist.queries import reading_order, study_detail
from ingest.inbox.claim import Claim
from ingest.scope.scope_rules import DEFAULTS, parse_rules
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.support.databases import on_both
from tests.support.files import COMPRESSED, a_dataset, a_dicom_file, a_gradient, dicom_bytes
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

Drop = Callable[..., Claim]
FILM = FOLDER / "study-01.dcm"


def a_film(path: Path, **attributes: Any) -> Path:
    """The sample film with other attributes; None leaves one out."""
    dataset = dcmread(FILM)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, "" if value is None else value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def half_of(path: Path, share: float = 0.5) -> Path:
    """The film as its file was when so much of its pixels had been written."""
    content, pixels = path.read_bytes(), len(dcmread(path).PixelData)
    written = len(content) - pixels + int(share * pixels)
    target = path.with_name(f"{share}-{path.name}")
    target.write_bytes(content[:written].ljust(len(content), b"\0"))
    return target


def study_row(worker: Worker) -> StudyRecord:
    with worker.database.read() as session:
        (row,) = reading_order(session, limit=9, display=AS_STORED)
    return row


def events_of(worker: Worker) -> list[EventRecord]:
    with worker.database.read() as session:
        uid = session.scalars(select(Study.study_instance_uid)).one()
        detail = study_detail(session, uid, display=AS_STORED)
    assert detail is not None
    return list(detail.events)


def actions(worker: Worker) -> list[str]:
    return [event.action for event in events_of(worker)]


def scores(worker: Worker) -> list[ScoreRecord]:
    with worker.database.read() as session:
        uid = session.scalars(select(Study.study_instance_uid)).one()
        detail = study_detail(session, uid, display=AS_STORED)
    assert detail is not None
    return list(detail.scores)


def score_all(worker: Worker) -> None:
    while worker.prepare_next():
        pass
    while worker.score_batch():
        pass


# What a copy says.


@on_both("keyword", ["RequestedProcedurePriority", "StudyPriorityID"])
@pytest.mark.parametrize("word", ["STAT", "HIGH"])
def test_a_copy_that_says_stat_raises_the_study(
    worker: Worker, drop: Drop, tmp_path: Path, keyword: str, word: str
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **{keyword: "ROUTINE"})))
    assert not study_row(worker).stat
    copy = a_film(tmp_path / "b.dcm", **{keyword: word})
    assert worker.take_in(drop(copy)) is ArrivalOutcome.DUPLICATE
    assert study_row(worker).stat
    assert actions(worker)[-2:] == ["duplicate", "raised_to_stat"]
    with worker.database.read() as session:
        assert session.scalars(select(Image.urgency)).all() == [0], "before all routine films"
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **{keyword: "ROUTINE"}), "again.dcm"))
    assert study_row(worker).stat, "nothing lowers it"


def test_a_copy_fills_in_what_was_missing_and_the_mark_goes(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    missing = {
        "PatientBirthDate": None,
        "PatientAge": None,
        "AccessionNumber": None,
        "PatientSex": None,
        "PatientName": None,
    }
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **missing)))
    before = study_row(worker)
    assert [mark.code for mark in before.marks] == ["age_unknown"]
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.DUPLICATE
    row, film = study_row(worker), dcmread(FILM)
    assert (row.patient_name, row.accession_number) == (film.PatientName, film.AccessionNumber)
    assert f"{row.patient_birth_date:%Y%m%d}" == film.PatientBirthDate
    assert (row.patient_age, row.patient_sex) == (film.PatientAge, film.PatientSex)
    assert (row.marks, row.warnings) == ((), ())
    added, marked = events_of(worker)[-2:]
    assert (added.action, marked.action) == ("details_added", "marked")
    assert added.detail == {
        "fields": [
            "patient_name",
            "patient_birth_date",
            "patient_sex",
            "patient_age",
            "accession_number",
        ]
    }
    assert marked.detail == {"codes": []}
    assert "Lucia" not in str(added.detail), "no patient's data in an event"
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **missing, StationName="X"), "c.dcm"))
    assert study_row(worker).marks == (), "a copy that knows less takes nothing away"


def test_a_copy_with_another_name_is_warned_of_and_changes_nothing(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", PatientName="UNKNOWN^TRAUMA")))
    copy = a_film(tmp_path / "b.dcm", PatientName="Realname^Anna", AccessionNumber="ACC-REAL")
    assert worker.take_in(drop(copy)) is ArrivalOutcome.DUPLICATE
    row = study_row(worker)
    assert (row.patient_name, row.accession_number) == ("UNKNOWN^TRAUMA", "DEMO00009")
    (warning,) = row.warnings
    assert warning.code == "headers_contradict"
    assert warning.reason.endswith("(patient name, accession number)")
    (event,) = [event for event in events_of(worker) if event.action == "contradicted"]
    assert event.detail == {"fields": ["patient_name", "accession_number"]}


def test_a_copy_of_the_same_name_written_otherwise_is_no_contradiction(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", PatientName="EJEMPLO^LUCIA")))
    worker.take_in(drop(FILM))
    assert study_row(worker).warnings == ()


def test_a_copy_of_another_birth_date_is_warned_of(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(FILM))
    born = dcmread(FILM).PatientBirthDate
    worker.take_in(drop(a_film(tmp_path / "b.dcm", PatientBirthDate=f"{born[:6]}28")))
    assert [warning.code for warning in study_row(worker).warnings] == ["headers_contradict"]


ADULT = {"PatientBirthDate": "19700101", "PatientAge": None}
AGELESS = {"PatientBirthDate": None, "PatientAge": None}


def test_a_film_that_waits_is_refused_when_a_copy_says_that_it_is_an_adults(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **AGELESS)))
    copy = a_film(tmp_path / "b.dcm", **ADULT)
    assert worker.take_in(drop(copy)) is ArrivalOutcome.DUPLICATE
    (image,) = study_row(worker).images
    assert (image.state, image.code) == (ImageState.REFUSED, "adult")
    score_all(worker)
    assert study_row(worker).probability is None


def test_a_flagged_film_stays_flagged_and_is_marked_when_a_copy_says_that_it_is_an_adults(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    """A score never changes, and a header lowers nothing that the AI has raised."""
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **AGELESS)))
    score_all(worker)
    assert study_row(worker).flagged
    worker.take_in(drop(a_film(tmp_path / "b.dcm", **ADULT)))
    row = study_row(worker)
    assert row.flagged
    assert [mark.code for mark in row.marks] == ["adult"]
    assert "adult" in row.why


def test_a_site_that_marks_adults_marks_them_by_a_copy_too(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    rules = parse_rules(DEFAULTS.read_text(), '[age]\nadults = "mark"')
    worker = replace(worker, rules=rules)
    worker.take_in(drop(a_film(tmp_path / "a.dcm", **AGELESS)))
    worker.take_in(drop(a_film(tmp_path / "b.dcm", **ADULT)))
    row = study_row(worker)
    assert row.images[0].state is ImageState.RECEIVED
    assert [mark.code for mark in row.marks] == ["adult"]


def test_a_copy_that_contradicts_the_view_is_refused_and_stays_visible(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", ViewPosition="AP")))
    copy = a_film(tmp_path / "b.dcm", ViewPosition="LL")
    assert worker.take_in(drop(copy)) is ArrivalOutcome.REFUSED
    first, second = study_row(worker).images
    assert (first.code, second.code) == (None, "view_not_frontal")


def test_a_copy_that_first_tells_the_view_has_the_film_judged_by_it(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(a_film(tmp_path / "a.dcm", ViewPosition=None)))
    worker.take_in(drop(a_film(tmp_path / "b.dcm", ViewPosition="LL")))
    (image,) = study_row(worker).images
    assert (image.code, image.view_position) == ("view_not_frontal", "LL")


def test_a_later_image_of_the_study_that_contradicts_it_is_warned_of_too(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(FILM))
    other = dcmread(FILM)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")
    other.PatientName = "Realname^Anna"
    other.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    assert worker.take_in(drop(tmp_path / "b.dcm")) is ArrivalOutcome.RECEIVED
    assert [warning.code for warning in study_row(worker).warnings] == ["headers_contradict"]


# The whole after its beginning.


@on_both("share", [0.5, 0.0, 0.25, 0.503, 0.9])
def test_a_whole_film_replaces_its_own_beginning(
    worker: Worker, drop: Drop, tmp_path: Path, share: float
) -> None:
    film = tmp_path / "film.dcm"
    film.write_bytes(FILM.read_bytes())
    assert worker.take_in(drop(half_of(film, share))) is ArrivalOutcome.RECEIVED
    assert [mark.code for mark in study_row(worker).marks] == ["may_be_cut"]
    score_all(worker)
    assert study_row(worker).flagged, "0.95 of the part"
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.RECEIVED
    row = study_row(worker)
    assert (row.flagged, row.probability) == (False, None), "a part's score is not the film's"
    score_all(worker)
    row = study_row(worker)
    assert (row.flagged, row.probability, row.marks) == (False, 0.1, ())
    assert [(image.state, image.code) for image in row.images] == [
        (ImageState.REFUSED, "replaced_by_whole"),
        (ImageState.SCORED, None),
    ]
    assert [score.probability for score in scores(worker)] == [0.95, 0.1], "none is forgotten"
    events = events_of(worker)
    replaced = next(event for event in events if event.action == "replaced")
    assert replaced.detail == {"sha256": row.images[1].sha256}
    assert replaced.cause == "live"
    assert "flag_withdrawn" in [event.action for event in events]


def test_a_film_comes_in_three_steps_and_the_last_one_counts(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    film = a_dicom_file(tmp_path / "film.dcm", a_gradient(200, 300, bits=12) + 1)
    for share in (0.3, 0.7):
        worker.take_in(drop(half_of(film, share)))
    worker.take_in(drop(film))
    assert [image.code for image in study_row(worker).images] == [
        "replaced_by_whole", "replaced_by_whole", None,
    ]  # fmt: skip
    assert worker.take_in(drop(half_of(film, 0.6))) is ArrivalOutcome.DUPLICATE
    assert len(study_row(worker).images) == 3, "a beginning adds nothing to its film"


@on_both("syntax", COMPRESSED)
def test_a_whole_film_that_is_sent_compressed_replaces_its_beginning(
    worker: Worker, drop: Drop, tmp_path: Path, syntax: str
) -> None:
    film = a_dicom_file(tmp_path / "film.dcm", a_gradient(200, 300) + np.uint8(1))
    worker.take_in(drop(half_of(film)))
    whole = tmp_path / "whole.dcm"
    whole.write_bytes(dicom_bytes(dcmread(film), syntax))
    assert worker.take_in(drop(whole)) is ArrivalOutcome.RECEIVED
    assert [image.code for image in study_row(worker).images] == ["replaced_by_whole", None]


def test_another_film_of_this_uid_replaces_nothing(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    dataset = a_dataset(a_gradient(200, 300) + np.uint8(1))
    film = tmp_path / "film.dcm"
    film.write_bytes(dicom_bytes(dataset))
    worker.take_in(drop(half_of(film)))
    dataset.PixelData = (a_gradient(200, 300) + np.uint8(2)).tobytes()
    film.write_bytes(dicom_bytes(dataset))
    assert worker.take_in(drop(film)) is ArrivalOutcome.REFUSED
    assert [image.code for image in study_row(worker).images] == [
        None, "sop_instance_uid_conflict",
    ]  # fmt: skip


def test_a_whole_film_of_another_patient_replaces_nothing(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    film = a_film(tmp_path / "film.dcm")
    worker.take_in(drop(half_of(film)))
    assert worker.take_in(drop(a_film(film, PatientID="ELSE"))) is ArrivalOutcome.REFUSED
    with worker.database.read() as session:
        codes = session.scalars(select(Image.code).order_by(Image.id)).all()
    assert codes == [None, RefusalCode.PATIENT_CONFLICT]


def conflicts_as_before(worker: Worker, drop: Drop, film: Path) -> None:
    """Half a film that is scored, and the whole, refused as it was by earlier releases."""
    worker.take_in(drop(half_of(film)))
    score_all(worker)
    worker.take_in(drop(film))
    with worker.database.write() as session:
        part, whole = session.scalars(select(Image).order_by(Image.id)).all()
        whole.state, whole.code = ImageState.REFUSED, RefusalCode.SOP_INSTANCE_UID_CONFLICT
        whole.reason, whole.refused_at = "Another image", whole.received_at
        session.flush()
        part.state, part.code, part.reason, part.refused_at = ImageState.SCORED, None, None, None


@pytest.mark.parametrize("way", ["sent again", "tried again"])
def test_a_whole_film_that_was_refused_before_replaces_its_beginning(
    worker: Worker, drop: Drop, tmp_path: Path, way: str
) -> None:
    film = a_film(tmp_path / "film.dcm")
    conflicts_as_before(worker, drop, film)
    if way == "sent again":
        worker.take_in(drop(film, "again.dcm"))
    else:
        assert [result.now for result in worker.retry_all()] == [None]
    score_all(worker)
    row = study_row(worker)
    assert [image.code for image in row.images] == ["replaced_by_whole", None]
    assert row.probability == 0.1
    (again,) = worker.retry_all()
    assert again.now is RefusalCode.REPLACED_BY_WHOLE, "and it stays so"
    with worker.database.read() as session:
        assert len(session.scalars(select(Score)).all()) == 2


def test_a_film_that_ends_in_black_rows_is_scored_and_marked(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    grey = a_gradient(200, 300) + np.uint8(1)
    grey[150:] = 0
    worker.take_in(drop(a_dicom_file(tmp_path / "a.dcm", grey, PatientAge="004Y")))
    score_all(worker)
    row = study_row(worker)
    assert [mark.code for mark in row.marks] == ["may_be_cut"]
    assert row.flagged, "a mark lowers nothing"
