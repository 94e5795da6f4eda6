from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from db.images import ArrivalOutcome
from db.tables import Arrival, Image, Study
from db.worklist.queries import reading_order
from db.worklist.refused import refused_images
from ingest.inbox.claim import Claim, leftovers
from readfirst.domain import ImageState
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from tests.support.files import (
    a_dicom_file,
    a_gradient,
    two_files_of_one_uid,
)
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

Drop = Callable[..., Claim]
FILM, PICTURE = FOLDER / "study-01.dcm", FOLDER / "film-01.jpg"


def count(worker: Worker, table: type) -> int:
    with worker.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_dicom_film_becomes_an_image_of_its_study(worker: Worker, drop: Drop) -> None:
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.RECEIVED
    with worker.database.read() as session:
        study = session.scalars(select(Study)).one()
        (image,) = study.images
        assert (study.patient_name, study.accession_number) == ("Ejemplo^Lucia", "DEMO00009")
        assert image.state is ImageState.RECEIVED
        assert worker.store.path(image.sha256).read_bytes() == FILM.read_bytes()
    assert worker.notifier.notified == [TaskName.PREPARE]
    assert leftovers(worker.settings.inbox_path) == []


def test_a_picture_is_a_study_of_one_image_with_lasting_uids(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(PICTURE))
    with worker.database.read() as session:
        (row,) = reading_order(session, limit=10, display=AS_STORED)
    assert row.study_instance_uid.startswith("2.25.")
    assert row.images[0].file_name == "film-01.jpg"


def test_the_same_content_twice_is_one_image_and_two_arrivals(worker: Worker, drop: Drop) -> None:
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.RECEIVED
    assert worker.take_in(drop(FILM, "again.dcm")) is ArrivalOutcome.DUPLICATE
    assert (count(worker, Image), count(worker, Arrival)) == (1, 2)


def test_the_same_film_with_another_header_is_a_duplicate(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    assert worker.take_in(drop(first)) is ArrivalOutcome.RECEIVED
    assert worker.take_in(drop(second)) is ArrivalOutcome.DUPLICATE
    assert count(worker, Image) == 1


def test_the_same_uid_with_other_pixels_is_a_conflict_and_both_are_kept(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    other = {"PixelData": a_gradient()[::-1].tobytes(), "PatientAge": "", "PatientBirthDate": ""}
    first, second = two_files_of_one_uid(tmp_path, **other)
    worker.take_in(drop(first))
    assert worker.take_in(drop(second)) is ArrivalOutcome.REFUSED
    with worker.database.read() as session:
        (refused,) = refused_images(session, limit=10)
        images = session.scalars(select(Image)).all()
    assert refused.code == "sop_instance_uid_conflict"
    assert [image.marks for image in images if image.code] == [()], "an unknown age is none now"
    assert all(worker.store.has(image.sha256) for image in images)


def test_a_film_that_was_refused_before_does_not_stand_in_the_way_of_a_good_copy(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    whole = a_dicom_file(tmp_path / "film.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole[:-100])
    assert worker.take_in(drop(cut)) is ArrivalOutcome.REFUSED
    assert worker.take_in(drop(tmp_path / "film.dcm")) is ArrivalOutcome.RECEIVED


def test_a_lateral_view_is_refused_and_stays_visible(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL", StudyInstanceUID="1.2.3")
    assert worker.take_in(drop(path)) is ArrivalOutcome.REFUSED
    with worker.database.read() as session:
        (row,) = reading_order(session, limit=10, display=AS_STORED)
    assert row.study_instance_uid == "1.2.3"
    assert row.probability is None
    assert "not frontal" in row.why


def test_an_intake_that_died_after_its_commit_repeats_nothing(worker: Worker, drop: Drop) -> None:
    claimed = drop(FILM)
    content = claimed.path.read_bytes()
    worker.take_in(claimed)
    claimed.path.parent.mkdir(parents=True, exist_ok=True)
    claimed.path.write_bytes(content)  # as if the release had never happened
    worker.take_in(claimed)
    assert (count(worker, Image), count(worker, Arrival)) == (1, 1)
    assert leftovers(worker.settings.inbox_path) == []


def test_stat_is_taken_from_the_order(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FOLDER / "study-05.dcm"))
    with worker.database.read() as session:
        assert reading_order(session, limit=1, display=AS_STORED)[0].stat
