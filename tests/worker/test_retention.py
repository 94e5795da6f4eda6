"""Originals go when the settings say so, and never one that is still needed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from os import utime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.images import Outcome
from db.refused import refused_images
from db.tables import Event, Image
from ingest.claim import Claim
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.ingest.builders import a_dicom_file
from worker.assess import assess_ready
from worker.intake import take_in
from worker.nightly import rescore
from worker.prepare import prepare_next
from worker.resources import Resources
from worker.retention import let_originals_go
from worker.retry import retry

Drop = Callable[..., Claim]
FILM, OTHER = FOLDER / "study-01.dcm", FOLDER / "film-02.jpg"


def with_retention(resources: Resources, **days: float) -> Resources:
    return replace(resources, settings=resources.settings.model_copy(update=days))


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def images(resources: Resources) -> list[Image]:
    with resources.database.read() as session:
        return list(session.scalars(select(Image).order_by(Image.id)))


@pytest.fixture
def all_kinds(resources: Resources, drop: Drop, tmp_path: Path) -> Resources:
    """A scored image, a refused one, and one that is not scored yet."""
    take_in(drop(FILM), resources)
    prepare_next(resources)
    assess_ready(resources)
    take_in(drop(a_dicom_file(tmp_path / "film.dcm", ViewPosition="LL")), resources)
    take_in(drop(OTHER), resources)
    states = [image.state for image in images(resources)]
    assert states == [ImageState.SCORED, ImageState.REFUSED, ImageState.RECEIVED]
    return resources


def test_without_settings_nothing_ever_goes(all_kinds: Resources) -> None:
    assert let_originals_go(all_kinds, later(10_000)) == 0
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
    all_kinds: Resources, days: dict[str, float], gone: list[bool]
) -> None:
    resources = with_retention(all_kinds, **days)
    assert let_originals_go(resources, later(29)) == 0
    assert let_originals_go(resources, later(31)) == sum(gone)
    assert [not resources.store.has(image.sha256) for image in images(resources)] == gone
    assert [image.original_removed_at is not None for image in images(resources)] == gone
    with resources.database.read() as session:
        query = select(Event.image_id).where(Event.action == "original_removed")
        noted = set(session.scalars(query))
    assert [image.id in noted for image in images(resources)] == gone
    assert let_originals_go(resources, later(31)) == 0


def test_a_refused_image_without_its_original_says_so_when_it_is_tried_again(
    all_kinds: Resources,
) -> None:
    resources = with_retention(all_kinds, keep_refused_days=30)
    let_originals_go(resources, later(31))
    (retried,) = retry(resources, [images(resources)[1].id])
    assert retried.now is RefusalCode.ORIGINAL_MISSING
    with resources.database.read() as session:
        (row,) = refused_images(session, limit=9)
    assert row.original_removed_at is not None


def test_what_came_in_again_is_kept_as_long_as_if_it_were_new(
    all_kinds: Resources, drop: Drop
) -> None:
    resources = with_retention(all_kinds, keep_originals_days=30)
    original = resources.store.path(images(resources)[0].sha256)
    utime(original, (0, 0))
    assert take_in(drop(FILM), resources) is Outcome.DUPLICATE
    with resources.database.write() as session:
        image = session.get_one(Image, images(resources)[0].id)
        image.scored_at = datetime.now(UTC) - timedelta(days=60)
    assert let_originals_go(resources) == 0
    assert original.is_file()


def test_a_removed_original_that_comes_in_again_is_kept_again(
    all_kinds: Resources, drop: Drop
) -> None:
    resources = with_retention(all_kinds, keep_originals_days=30)
    let_originals_go(resources, later(31))
    assert take_in(drop(FILM), resources) is Outcome.DUPLICATE
    image = images(resources)[0]
    assert image.original_removed_at is None
    assert resources.store.has(image.sha256)


def test_a_copy_of_a_film_whose_original_was_removed_is_known_all_the_same(
    all_kinds: Resources, drop: Drop, tmp_path: Path
) -> None:
    resources = with_retention(all_kinds, keep_originals_days=30)
    let_originals_go(resources, later(31))
    copy = tmp_path / "copy.dcm"
    content = FILM.read_bytes()
    assert content.count(b"Ejemplo^Lucia") == 1
    copy.write_bytes(content.replace(b"Ejemplo^Lucia", b"Ejemplo^Lucie"))
    assert take_in(drop(copy), resources) is Outcome.DUPLICATE


def test_a_scored_film_that_cannot_be_prepared_anew_keeps_its_scores(
    all_kinds: Resources,
) -> None:
    resources = with_retention(all_kinds, keep_originals_days=30)
    let_originals_go(resources, later(31))
    with resources.database.write() as session:
        session.get_one(Image, images(resources)[0].id).preprocessing_version = "0"
    assert rescore(resources, again=True) == 0
    assert images(resources)[0].state is ImageState.SCORED
