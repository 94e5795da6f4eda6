"""Originals go when the settings say so, and never one that is still needed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from os import utime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.images import ArrivalOutcome
from db.tables import Event, Image
from db.worklist.refused import refused_images
from ingest.inbox.claim import Claim
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.support.files import a_dicom_file
from tests.support.workers import Worker

Drop = Callable[..., Claim]
FILM, OTHER = FOLDER / "study-01.dcm", FOLDER / "film-02.jpg"


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def images(worker: Worker) -> list[Image]:
    with worker.database.read() as session:
        return list(session.scalars(select(Image).order_by(Image.id)))


@pytest.fixture
def all_kinds(worker: Worker, drop: Drop, tmp_path: Path) -> Worker:
    """A scored image, a refused one, and one that is not scored yet."""
    worker.take_in(drop(FILM))
    worker.prepare_next()
    worker.score_batch()
    worker.take_in(drop(a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")))
    worker.take_in(drop(OTHER))
    states = [image.state for image in images(worker)]
    assert states == [ImageState.SCORED, ImageState.REFUSED, ImageState.RECEIVED]
    return worker


def test_without_settings_nothing_ever_goes(all_kinds: Worker) -> None:
    assert all_kinds.purge_originals(later(10_000)) == 0
    assert all(all_kinds.store.has(image.sha256) for image in images(all_kinds))


@pytest.mark.parametrize(
    ("days", "gone"),
    [
        ({"keep_refused_days": 30}, [False, True, False]),
        ({"keep_originals_days": 30}, [True, False, False]),
        ({"keep_refused_days": 30, "keep_originals_days": 30}, [True, True, False]),
    ],
)
def test_what_was_kept_long_enough_goes_and_what_is_not_scored_never(
    all_kinds: Worker, days: dict[str, float], gone: list[bool]
) -> None:
    worker = all_kinds.with_settings(**days)
    assert worker.purge_originals(later(29)) == 0
    assert worker.purge_originals(later(31)) == sum(gone)
    assert [not worker.store.has(image.sha256) for image in images(worker)] == gone
    assert [image.original_removed_at is not None for image in images(worker)] == gone
    with worker.database.read() as session:
        query = select(Event.image_id).where(Event.action == "original_removed")
        noted = set(session.scalars(query))
    assert [image.id in noted for image in images(worker)] == gone
    assert worker.purge_originals(later(31)) == 0


def test_a_refused_image_without_its_original_says_so_when_it_is_tried_again(
    all_kinds: Worker,
) -> None:
    worker = all_kinds.with_settings(keep_refused_days=30)
    worker.purge_originals(later(31))
    (retried,) = worker.retry_images([images(worker)[1].id])
    assert retried.now is RefusalCode.ORIGINAL_MISSING
    with worker.database.read() as session:
        (row,) = refused_images(session, limit=9)
    assert row.original_removed_at is not None


def test_what_came_in_again_is_kept_as_long_as_if_it_were_new(
    all_kinds: Worker, drop: Drop
) -> None:
    worker = all_kinds.with_settings(keep_originals_days=30)
    original = worker.store.path(images(worker)[0].sha256)
    utime(original, (0, 0))
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.DUPLICATE
    with worker.database.write() as session:
        image = session.get_one(Image, images(worker)[0].id)
        image.scored_at = datetime.now(UTC) - timedelta(days=60)
    assert worker.purge_originals() == 0
    assert original.is_file()


def test_a_removed_original_that_comes_in_again_is_kept_again(
    all_kinds: Worker, drop: Drop
) -> None:
    worker = all_kinds.with_settings(keep_originals_days=30)
    worker.purge_originals(later(31))
    assert worker.take_in(drop(FILM)) is ArrivalOutcome.DUPLICATE
    image = images(worker)[0]
    assert image.original_removed_at is None
    assert worker.store.has(image.sha256)


def test_a_copy_of_a_film_whose_original_was_removed_is_known_all_the_same(
    all_kinds: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker = all_kinds.with_settings(keep_originals_days=30)
    worker.purge_originals(later(31))
    copy = tmp_path / "copy.dcm"
    content = FILM.read_bytes()
    assert content.count(b"Ejemplo^Lucia") == 1
    copy.write_bytes(content.replace(b"Ejemplo^Lucia", b"Ejemplo^Lucie"))
    assert worker.take_in(drop(copy)) is ArrivalOutcome.DUPLICATE


def test_a_scored_film_that_cannot_be_prepared_anew_keeps_its_scores(
    all_kinds: Worker,
) -> None:
    worker = all_kinds.with_settings(keep_originals_days=30)
    worker.purge_originals(later(31))
    with worker.database.write() as session:
        session.get_one(Image, images(worker)[0].id).preprocessing_version = "0"
    assert worker.rescore(again=True) == 0
    assert images(worker)[0].state is ImageState.SCORED
