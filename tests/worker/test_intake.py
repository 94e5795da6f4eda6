from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from db.images import Outcome
from db.refused import refused_images
from db.tables import Arrival, Image, Study
from db.worklist import reading_order
from ingest.claim import Claim, leftovers
from readfirst.domain import ImageState
from readfirst.queue import Bell, SilentRinger
from readfirst.samples import FOLDER
from tests.ingest.builders import (
    a_dicom_file,
    a_gradient,
    two_files_of_one_uid,
)
from worker.intake import take_in
from worker.resources import Resources

Drop = Callable[..., Claim]
FILM, PICTURE = FOLDER / "study-01.dcm", FOLDER / "film-01.jpg"


def count(resources: Resources, table: type) -> int:
    with resources.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_dicom_film_becomes_an_image_of_its_study(resources: Resources, drop: Drop) -> None:
    assert take_in(drop(FILM), resources) is Outcome.RECEIVED
    with resources.database.read() as session:
        study = session.scalars(select(Study)).one()
        (image,) = study.images
        assert (study.patient_name, study.accession_number) == ("Ejemplo^Lucia", "DEMO00009")
        assert image.state is ImageState.RECEIVED
        assert resources.store.path(image.sha256).read_bytes() == FILM.read_bytes()
    assert isinstance(resources.ringer, SilentRinger)
    assert resources.ringer.rung == [Bell.PREPARE]
    assert leftovers(resources.settings.inbox_path) == []


def test_a_picture_is_a_study_of_one_image_with_lasting_uids(
    resources: Resources, drop: Drop
) -> None:
    take_in(drop(PICTURE), resources)
    with resources.database.read() as session:
        (row,) = reading_order(session, limit=10)
    assert row.study_instance_uid.startswith("2.25.")
    assert row.images[0].file_name == "film-01.jpg"


def test_the_same_content_twice_is_one_image_and_two_arrivals(
    resources: Resources, drop: Drop
) -> None:
    assert take_in(drop(FILM), resources) is Outcome.RECEIVED
    assert take_in(drop(FILM, "again.dcm"), resources) is Outcome.DUPLICATE
    assert (count(resources, Image), count(resources, Arrival)) == (1, 2)


def test_the_same_film_with_another_header_is_a_duplicate(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    assert take_in(drop(first), resources) is Outcome.RECEIVED
    assert take_in(drop(second), resources) is Outcome.DUPLICATE
    assert count(resources, Image) == 1


def test_the_same_uid_with_other_pixels_is_a_conflict_and_both_are_kept(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, PixelData=a_gradient()[::-1].tobytes())
    take_in(drop(first), resources)
    assert take_in(drop(second), resources) is Outcome.REFUSED
    with resources.database.read() as session:
        (refused,) = refused_images(session, limit=10)
        images = session.scalars(select(Image)).all()
    assert refused.code == "sop_instance_uid_conflict"
    assert all(resources.store.has(image.sha256) for image in images)


def test_a_film_that_was_refused_before_does_not_stand_in_the_way_of_a_good_copy(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    whole = a_dicom_file(tmp_path / "film.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole[:-100])
    assert take_in(drop(cut), resources) is Outcome.REFUSED
    assert take_in(drop(tmp_path / "film.dcm"), resources) is Outcome.RECEIVED


def test_a_lateral_view_is_refused_and_stays_visible(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL", StudyInstanceUID="1.2.3")
    assert take_in(drop(path), resources) is Outcome.REFUSED
    with resources.database.read() as session:
        (row,) = reading_order(session, limit=10)
    assert row.study_instance_uid == "1.2.3"
    assert row.probability is None
    assert "not frontal" in row.why


def test_an_intake_that_died_after_its_commit_repeats_nothing(
    resources: Resources, drop: Drop
) -> None:
    claimed = drop(FILM)
    content = claimed.path.read_bytes()
    take_in(claimed, resources)
    claimed.path.parent.mkdir(parents=True, exist_ok=True)
    claimed.path.write_bytes(content)  # as if the release had never happened
    take_in(claimed, resources)
    assert (count(resources, Image), count(resources, Arrival)) == (1, 1)
    assert leftovers(resources.settings.inbox_path) == []


def test_stat_is_taken_from_the_order(resources: Resources, drop: Drop) -> None:
    take_in(drop(FOLDER / "study-05.dcm"), resources)
    with resources.database.read() as session:
        assert reading_order(session, limit=1)[0].stat
