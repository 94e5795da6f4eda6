"""Refused images are tried again: every verdict stays in the events, every constraint holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from db.images import ArrivalOutcome
from db.lifecycle.retries import refused_image, try_again
from db.tables import Arrival, Event, Image, Study
from db.worklist.queries import counts, reading_order
from db.worklist.refused import RefusedFilter, refused_images
from ingest.inbox.claim import Claim
from readfirst.domain import Header, ImageState
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from tests.integration.ingest.test_archive import bomb, zipped
from tests.support.files import (
    a_dataset,
    a_dicom_file,
    a_gradient,
    dicom_bytes,
    two_files_of_one_uid,
)
from tests.support.studies import AS_STORED
from tests.support.workers import Worker
from worker.intake.inspection import identify

Drop = Callable[..., Claim]
FILM = FOLDER / "study-01.dcm"


def events(worker: Worker, image: Image) -> list[tuple[str, dict[str, object]]]:
    with worker.database.read() as session:
        query = select(Event).where(Event.image_id == image.id).order_by(Event.id)
        return [(event.action, event.detail) for event in session.scalars(query)]


def the_image(worker: Worker, number: int = 0) -> Image:
    with worker.database.read() as session:
        return session.scalars(select(Image).order_by(Image.id)).all()[number]


def refuse_as(worker: Worker, code: RefusalCode) -> None:
    """As if an older release had refused every image by a rule that is no more."""
    with worker.database.write() as session:
        now = datetime.now(UTC)
        changes = {"state": ImageState.REFUSED, "code": code, "refused_at": now, "reason": "old"}
        session.execute(update(Image).values(**changes))


def accept(worker: Worker, image_id: int, header: Header) -> None:
    with worker.use_cases.units.begin() as unit:
        image = refused_image(unit, image_id)
        assert image is not None
        identity = identify(image.sha256, header)
        try_again(unit, image, identity, header, refusal=None)


def test_after_a_fix_a_refused_film_is_scored(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FILM))
    refuse_as(worker, RefusalCode.PIXELS_UNREADABLE)
    worker.notifier.notified.clear()
    (retried,) = worker.retry_all()
    assert (retried.before, retried.now) == (RefusalCode.PIXELS_UNREADABLE, None)
    assert TaskName.PREPARE in worker.notifier.notified
    assert worker.prepare_next()
    assert worker.score_batch() == 1
    image = the_image(worker)
    assert (image.state, image.code, image.reason) == (ImageState.SCORED, None, None)
    actions = [action for action, _ in events(worker, image)]
    assert actions == ["received", "retried", "received", "ready", "scored"]
    assert worker.retry_all() == []


def test_the_same_refusal_again_is_recorded_as_such(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")
    worker.take_in(drop(path))
    (retried,) = worker.retry_all()
    assert retried.now is RefusalCode.VIEW_NOT_FRONTAL
    code = RefusalCode.VIEW_NOT_FRONTAL.value
    assert events(worker, the_image(worker))[1:] == [
        ("refused", {"code": code}),
        ("retried", {"code": code}),
        ("refused", {"code": code, "again": True}),
    ]


def test_pixels_that_still_cannot_be_decoded_are_refused_again_by_the_workers(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    whole = bytearray(dicom_bytes(a_dataset(a_gradient()), JPEG2000Lossless))
    start = len(whole) * 2 // 3
    whole[start : start + 200] = b"\x13" * 200
    path = tmp_path / "film.dcm"
    path.write_bytes(whole[: len(whole) - 8].replace(b"\xff\x52", b"\x00\x00") + whole[-8:])
    worker.take_in(drop(path))
    worker.prepare_next()
    assert [retried.now for retried in worker.retry_all()] == [None]
    assert worker.prepare_next()
    image = the_image(worker)
    assert image.code is RefusalCode.PIXELS_UNREADABLE
    assert events(worker, image)[-1] == ("refused", {"code": image.code.value, "again": True})


def test_only_the_images_of_a_code_are_tried(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    worker.take_in(drop(a_dicom_file(tmp_path / "lateral.dcm", ViewPosition="LL")))
    notes = tmp_path / "notes.txt"
    notes.write_text("no film " * 99)
    worker.take_in(drop(notes))
    (retried,) = worker.retry_all(RefusedFilter(code=RefusalCode.NOT_AN_IMAGE))
    assert retried.image_id == the_image(worker, 1).id


def test_two_images_never_hold_one_uid_however_often_they_are_tried(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, PixelData=a_gradient()[::-1].tobytes())
    worker.take_in(drop(first))
    worker.take_in(drop(second))
    assert [retried.now for retried in worker.retry_all()] == [
        RefusalCode.SOP_INSTANCE_UID_CONFLICT
    ]
    with worker.database.read() as session:
        assert counts(session).images[ImageState.RECEIVED] == 1


def test_a_film_that_was_accepted_from_another_file_stays_refused(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    worker.take_in(drop(first))
    refuse_as(worker, RefusalCode.DICOM_UNREADABLE)
    assert worker.take_in(drop(second)) is ArrivalOutcome.RECEIVED
    assert [retried.now for retried in worker.retry_all()] == [RefusalCode.ALREADY_ACCEPTED]


def test_a_uid_that_is_accepted_at_the_last_moment_is_not_accepted_twice(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    """The database itself refuses the second one; the next look knows the first."""
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    worker.take_in(drop(first))
    refuse_as(worker, RefusalCode.DICOM_UNREADABLE)
    worker.take_in(drop(second))
    image = the_image(worker)
    header = worker.reader.header(first)
    with pytest.raises(IntegrityError):
        accept(worker, image.id, header)
    assert the_image(worker).state is ImageState.REFUSED


def test_a_header_that_can_be_read_now_brings_the_film_to_its_own_study(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", StudyInstanceUID="1.2.3", PatientID="P-1")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Invented^Child", b"Invented^Girl "))
    yesterday = replace(worker, reader=ReaderOfYesterday())  # type: ignore[arg-type]
    yesterday.take_in(drop(path))
    with worker.database.read() as session:
        (before,) = reading_order(session, limit=9, display=AS_STORED)
    assert before.study_instance_uid.startswith("2.25.")
    assert [retried.now for retried in worker.retry_all()] == [None]
    with worker.database.read() as session:
        (after,) = reading_order(session, limit=9, display=AS_STORED)
        assert counts(session).studies == 1
        assert len(session.scalars(select(Study)).all()) == 2, "no study's history goes"
    assert (after.study_instance_uid, after.patient_id) == ("1.2.3", "P-1")
    assert after.received_at == before.received_at, "it has waited since it came in"
    actions = [action for action, _ in events(worker, the_image(worker))]
    assert actions[:5] == ["received", "refused", "moved", "retried", "received"]


def test_a_retry_of_many_wakes_the_workers_once(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    for number in range(4):
        path = a_dicom_file(tmp_path / f"{number}.dcm", PatientID=f"P-{number}")
        worker.take_in(drop(path))
    refuse_as(worker, RefusalCode.DICOM_UNREADABLE)
    for number in (1, 3):
        worker.store.path(the_image(worker, number).sha256).unlink()
    worker.notifier.notified.clear()
    outcomes = [retried.now for retried in worker.retry_all()]
    assert outcomes == [None, RefusalCode.ORIGINAL_MISSING] * 2
    assert worker.notifier.notified == [TaskName.PREPARE]


class ReaderOfYesterday:
    """Reads no header yet."""

    def header(self, path: Path) -> Header:
        raise Refused(RefusalCode.DICOM_UNREADABLE)

    def leave(self) -> None:
        """Nothing is kept of a file."""


def test_without_its_original_an_image_is_refused_for_that(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")
    worker.take_in(drop(path))
    stored = worker.store.path(the_image(worker).sha256)
    stored.unlink()
    assert [retried.now for retried in worker.retry_all()] == [RefusalCode.ORIGINAL_MISSING]


def test_an_original_that_was_missing_and_comes_in_again_is_worked_on(
    worker: Worker, drop: Drop
) -> None:
    worker.take_in(drop(FILM))
    worker.store.path(the_image(worker).sha256).unlink()
    worker.prepare_next()
    assert the_image(worker).code is RefusalCode.ORIGINAL_MISSING
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.RECEIVED
    assert worker.prepare_next()
    assert the_image(worker).state is ImageState.READY


def test_an_archive_that_can_be_unpacked_now_brings_its_films(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = tmp_path / "ward.zip"
    path.write_bytes(zipped({"one/film.dcm": FILM.read_bytes()}))
    worker.take_in(drop(path), refusal=Refused(RefusalCode.ARCHIVE_TOO_LARGE))
    (retried,) = worker.retry_all()
    assert retried.now is RefusalCode.ARCHIVE_UNPACKED
    archive, film = the_image(worker, 0), the_image(worker, 1)
    assert (archive.state, film.state) == (ImageState.REFUSED, ImageState.RECEIVED)
    assert worker.store.has(archive.sha256)
    assert [retried.now for retried in worker.retry_all()] == [RefusalCode.ARCHIVE_UNPACKED]
    with worker.database.read() as session:
        assert len(session.scalars(select(Image)).all()) == 2
        paths = session.scalars(select(Arrival.relative_path)).all()
    assert sorted(paths) == ["ward.zip", "ward.zip/one/film.dcm"]


def test_an_archive_that_is_still_a_bomb_is_refused_again(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = tmp_path / "ward.zip"
    path.write_bytes(bomb())
    worker.take_in_archive(drop(path))
    (retried,) = worker.retry_all()
    assert (retried.before, retried.now) == (RefusalCode.ARCHIVE_TOO_LARGE,) * 2
    assert list(worker.settings.unpacking_path.iterdir()) == []


def test_an_image_in_work_is_left_alone(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FILM))
    assert list(worker.retry_images([the_image(worker).id, 999])) == []
    with worker.database.read() as session:
        assert refused_images(session, limit=9) == []
