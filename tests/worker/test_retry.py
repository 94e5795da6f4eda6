"""What was refused is tried again: every verdict stays in the events, every constraint holds."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from db.images import Outcome
from db.refused import Which, refused_image, refused_images, try_again
from db.tables import Arrival, Event, Image, Study
from db.worklist import counts, reading_order
from ingest.claim import Claim
from readfirst.domain import Header, ImageState
from readfirst.errors import Refused
from readfirst.queue import Bell, SilentRinger
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.ingest.builders import (
    a_dataset,
    a_dicom_file,
    a_gradient,
    dicom_bytes,
    two_files_of_one_uid,
)
from tests.ingest.test_archive import BOMB, zipped
from worker.archives import take_in_archive
from worker.assess import assess_ready
from worker.examine import identify
from worker.intake import take_in
from worker.prepare import prepare_next
from worker.resources import Resources
from worker.retry import Retried, refused, retry

Drop = Callable[..., Claim]
FILM = FOLDER / "study-01.dcm"


def retry_all(resources: Resources, which: Which | None = None) -> list[Retried]:
    return list(retry(resources, list(refused(resources, which or Which()))))


def events(resources: Resources, image: Image) -> list[tuple[str, dict[str, object]]]:
    with resources.database.read() as session:
        query = select(Event).where(Event.image_id == image.id).order_by(Event.id)
        return [(event.action, event.detail) for event in session.scalars(query)]


def the_image(resources: Resources, number: int = 0) -> Image:
    with resources.database.read() as session:
        return session.scalars(select(Image).order_by(Image.id)).all()[number]


def refuse_as(resources: Resources, code: RefusalCode) -> None:
    """As if an older release had refused every image by a rule that is no more."""
    with resources.database.write() as session:
        now = datetime.now(UTC)
        changes = {"state": ImageState.REFUSED, "code": code, "refused_at": now, "reason": "old"}
        session.execute(update(Image).values(**changes))


def accept(resources: Resources, image_id: int, header: Header) -> None:
    now, max_wait = datetime.now(UTC), resources.settings.max_wait
    with resources.database.write() as session:
        held = refused_image(session, image_id)
        assert held is not None
        identity = identify(held.sha256, header)
        try_again(session, held, identity, header, refusal=None, at=now, max_wait=max_wait)


def test_after_a_fix_a_refused_film_is_scored(resources: Resources, drop: Drop) -> None:
    take_in(drop(FILM), resources)
    refuse_as(resources, RefusalCode.PIXELS_UNREADABLE)
    assert isinstance(resources.ringer, SilentRinger)
    resources.ringer.rung.clear()
    (retried,) = retry_all(resources)
    assert (retried.before, retried.now) == (RefusalCode.PIXELS_UNREADABLE, None)
    assert Bell.PREPARE in resources.ringer.rung
    assert prepare_next(resources)
    assert assess_ready(resources) == 1
    image = the_image(resources)
    assert (image.state, image.code, image.reason) == (ImageState.SCORED, None, None)
    actions = [action for action, _ in events(resources, image)]
    assert actions == ["received", "retried", "received", "ready", "scored"]
    assert retry_all(resources) == []


def test_the_same_refusal_again_is_recorded_as_such(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")
    take_in(drop(path), resources)
    (retried,) = retry_all(resources)
    assert retried.now is RefusalCode.VIEW_NOT_FRONTAL
    code = RefusalCode.VIEW_NOT_FRONTAL.value
    assert events(resources, the_image(resources))[1:] == [
        ("refused", {"code": code}),
        ("retried", {"code": code}),
        ("refused", {"code": code, "again": True}),
    ]


def test_pixels_that_still_cannot_be_decoded_are_refused_again_by_the_workers(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    whole = bytearray(dicom_bytes(a_dataset(a_gradient()), JPEG2000Lossless))
    start = len(whole) * 2 // 3
    whole[start : start + 200] = b"\x13" * 200
    path = tmp_path / "film.dcm"
    path.write_bytes(whole[: len(whole) - 8].replace(b"\xff\x52", b"\x00\x00") + whole[-8:])
    take_in(drop(path), resources)
    prepare_next(resources)
    assert [one.now for one in retry_all(resources)] == [None]
    assert prepare_next(resources)
    image = the_image(resources)
    assert image.code is RefusalCode.PIXELS_UNREADABLE
    assert events(resources, image)[-1] == ("refused", {"code": image.code.value, "again": True})


def test_only_the_images_of_a_code_are_tried(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    take_in(drop(a_dicom_file(tmp_path / "lateral.dcm", ViewPosition="LL")), resources)
    notes = tmp_path / "notes.txt"
    notes.write_text("no film " * 99)
    take_in(drop(notes), resources)
    (retried,) = retry_all(resources, Which(code=RefusalCode.NOT_AN_IMAGE))
    assert retried.image_id == the_image(resources, 1).id


def test_two_images_never_hold_one_uid_however_often_they_are_tried(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, PixelData=a_gradient()[::-1].tobytes())
    take_in(drop(first), resources)
    take_in(drop(second), resources)
    assert [one.now for one in retry_all(resources)] == [RefusalCode.SOP_INSTANCE_UID_CONFLICT]
    with resources.database.read() as session:
        assert counts(session).images[ImageState.RECEIVED] == 1


def test_a_film_that_was_accepted_from_another_file_stays_refused(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    take_in(drop(first), resources)
    refuse_as(resources, RefusalCode.DICOM_UNREADABLE)
    assert take_in(drop(second), resources) is Outcome.RECEIVED
    assert [one.now for one in retry_all(resources)] == [RefusalCode.ALREADY_ACCEPTED]


def test_a_uid_that_is_accepted_at_the_last_moment_is_not_accepted_twice(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    """The database itself refuses the second one; the next look knows the first."""
    first, second = two_files_of_one_uid(tmp_path, InstitutionName="Elsewhere")
    take_in(drop(first), resources)
    refuse_as(resources, RefusalCode.DICOM_UNREADABLE)
    take_in(drop(second), resources)
    image = the_image(resources)
    header = resources.reader.header(first)
    with pytest.raises(IntegrityError):
        accept(resources, image.id, header)
    assert the_image(resources).state is ImageState.REFUSED


def test_a_header_that_can_be_read_now_brings_the_film_to_its_own_study(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", StudyInstanceUID="1.2.3", PatientID="P-1")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Invented^Child", b"Invented^Girl "))
    broken = ReaderOfYesterday(resources)
    take_in(drop(path), broken.resources)
    with resources.database.read() as session:
        (before,) = reading_order(session, limit=9)
    assert before.study_instance_uid.startswith("2.25.")
    assert [one.now for one in retry_all(resources)] == [None]
    with resources.database.read() as session:
        (after,) = reading_order(session, limit=9)
        assert counts(session).studies == 1
        assert len(session.scalars(select(Study)).all()) == 2, "no study's history goes"
    assert (after.study_instance_uid, after.patient_id) == ("1.2.3", "P-1")
    assert after.received_at == before.received_at, "it has waited since it came in"
    actions = [action for action, _ in events(resources, the_image(resources))]
    assert actions[:5] == ["received", "refused", "moved", "retried", "received"]


class ReaderOfYesterday:
    """Reads no header yet."""

    def __init__(self, resources: Resources) -> None:
        from dataclasses import replace

        self.resources = replace(resources, reader=self)  # type: ignore[arg-type]

    def header(self, path: Path) -> Header:
        raise Refused(RefusalCode.DICOM_UNREADABLE)


def test_without_its_original_an_image_is_refused_for_that(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")
    take_in(drop(path), resources)
    stored = resources.store.path(the_image(resources).sha256)
    stored.unlink()
    assert [one.now for one in retry_all(resources)] == [RefusalCode.ORIGINAL_MISSING]


def test_an_original_that_was_missing_and_comes_in_again_is_worked_on(
    resources: Resources, drop: Drop
) -> None:
    take_in(drop(FILM), resources)
    resources.store.path(the_image(resources).sha256).unlink()
    prepare_next(resources)
    assert the_image(resources).code is RefusalCode.ORIGINAL_MISSING
    assert take_in(drop(FILM), resources) is Outcome.RECEIVED
    assert prepare_next(resources)
    assert the_image(resources).state is ImageState.READY


def test_an_archive_that_can_be_unpacked_now_brings_its_films(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = tmp_path / "ward.zip"
    path.write_bytes(zipped({"one/film.dcm": FILM.read_bytes()}))
    take_in(drop(path), resources, verdict=Refused(RefusalCode.ARCHIVE_TOO_LARGE))
    (retried,) = retry_all(resources)
    assert retried.now is RefusalCode.ARCHIVE_UNPACKED
    archive, film = the_image(resources, 0), the_image(resources, 1)
    assert (archive.state, film.state) == (ImageState.REFUSED, ImageState.RECEIVED)
    assert resources.store.has(archive.sha256)
    assert [one.now for one in retry_all(resources)] == [RefusalCode.ARCHIVE_UNPACKED]
    with resources.database.read() as session:
        assert len(session.scalars(select(Image)).all()) == 2
        paths = session.scalars(select(Arrival.relative_path)).all()
    assert sorted(paths) == ["ward.zip", "ward.zip/one/film.dcm"]


def test_an_archive_that_is_still_a_bomb_is_refused_again(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    path = tmp_path / "ward.zip"
    path.write_bytes(BOMB)
    take_in_archive(drop(path), resources)
    (retried,) = retry_all(resources)
    assert (retried.before, retried.now) == (RefusalCode.ARCHIVE_TOO_LARGE,) * 2
    assert list(resources.settings.unpacking_path.iterdir()) == []


def test_an_image_in_work_is_left_alone(resources: Resources, drop: Drop) -> None:
    take_in(drop(FILM), resources)
    assert list(retry(resources, [the_image(resources).id, 999])) == []
    with resources.database.read() as session:
        assert refused_images(session, limit=9) == []
