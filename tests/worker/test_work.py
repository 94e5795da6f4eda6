from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from db.ensembles import EnsembleFacts, promote, register
from db.tables import Image
from db.worklist import reading_order, study_detail
from ingest.claim import Claim
from models.ensemble import FixedEnsemble
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.domain import ImageScore, ImageState, Urgency
from readfirst.errors import Misconfigured, Refused
from readfirst.queue import Bell, SilentRinger
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.ingest.builders import a_dataset, a_gradient, dicom_bytes
from worker.assess import assess_ready
from worker.intake import take_in
from worker.judgement import Judgement
from worker.nightly import rescore
from worker.prepare import prepare_next, read_model_ready
from worker.resources import Resources
from worker.sweep import sweep

Drop = Callable[..., Claim]
FILMS = [FOLDER / "study-01.dcm", FOLDER / "film-02.jpg"]


def images(resources: Resources) -> list[Image]:
    with resources.database.read() as session:
        return list(session.scalars(select(Image).order_by(Image.id)))


@pytest.fixture
def ready(resources: Resources, drop: Drop) -> Resources:
    for film in FILMS:
        take_in(drop(film), resources)
    while prepare_next(resources):
        pass
    return resources


def test_preparing_keeps_a_lossless_square_and_a_thumbnail(ready: Resources) -> None:
    for image in images(ready):
        assert image.state is ImageState.READY
        path = ready.prepared.model_ready(image.sha256, PREPROCESSING_VERSION)
        kept = read_model_ready(path)
        assert kept.shape == (224, 224)
        assert kept.dtype == np.uint8
        assert ready.prepared.thumbnail(image.sha256).is_file()


def test_ready_images_are_scored_in_one_batch_and_ranked(ready: Resources) -> None:
    assert assess_ready(ready) == 2
    assert assess_ready(ready) == 0
    with ready.database.read() as session:
        rows = reading_order(session, limit=10)
    assert [row.probability for row in rows] == [0.95, 0.1]
    assert [row.flagged for row in rows] == [True, False]
    assert all(row.ensemble_version == "2.0" for row in rows)


def test_pixels_that_cannot_be_decoded_are_refused_when_they_are_prepared(
    resources: Resources, drop: Drop, tmp_path: Path
) -> None:
    from pydicom.uid import JPEG2000Lossless

    whole = bytearray(dicom_bytes(a_dataset(a_gradient()), JPEG2000Lossless))
    start = len(whole) * 2 // 3
    whole[start : start + 200] = b"\x13" * 200
    garbled = tmp_path / "film.dcm"
    garbled.write_bytes(whole[: len(whole) - 8].replace(b"\xff\x52", b"\x00\x00") + whole[-8:])
    take_in(drop(garbled), resources)
    prepare_next(resources)
    (image,) = images(resources)
    assert image.code is RefusalCode.PIXELS_UNREADABLE
    assert resources.store.has(image.sha256)


def test_an_original_that_is_gone_is_named(resources: Resources, drop: Drop) -> None:
    take_in(drop(FILMS[0]), resources)
    (image,) = images(resources)
    resources.store.path(image.sha256).unlink()
    prepare_next(resources)
    assert images(resources)[0].code is RefusalCode.ORIGINAL_MISSING


def test_a_model_ready_image_that_is_gone_is_made_again(ready: Resources) -> None:
    lost = images(ready)[0]
    ready.prepared.model_ready(lost.sha256, PREPROCESSING_VERSION).unlink()
    assess_ready(ready)
    assert [image.state for image in images(ready)] == [ImageState.RECEIVED, ImageState.SCORED]
    assert prepare_next(ready)
    assert assess_ready(ready) == 1
    assert {image.state for image in images(ready)} == {ImageState.SCORED}


class FailingEnsemble(FixedEnsemble):
    """Fails while any of its batches holds more than one image."""

    def predict(self, images: np.ndarray):  # type: ignore[no-untyped-def]
        if len(images) > 1:
            raise RuntimeError("out of memory")
        return super().predict(images)


class CheckingEnsemble(FixedEnsemble):
    """Takes the first image of a batch for something else than a chest film."""

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        said = super().predict(images)
        return [Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH), *said[1:]]


def test_what_is_no_chest_film_is_refused_and_the_rest_of_its_batch_scored(
    ready: Resources,
) -> None:
    checking = CheckingEnsemble([0.9, 0.95], version="2.0")
    judgement = Judgement(Path("none"), "float32", load=lambda _: checking)
    assert assess_ready(replace(ready, judgement=judgement)) == 2
    refused, scored = images(ready)
    assert (refused.state, refused.code) == (
        ImageState.REFUSED,
        RefusalCode.NOT_A_CHEST_RADIOGRAPH,
    )
    assert refused.reason is not None
    assert scored.state is ImageState.SCORED
    with ready.database.read() as session:
        rows = reading_order(session, limit=10)
    assert [row.probability for row in rows] == [0.95, None]
    assert ready.store.has(refused.sha256)


def test_after_a_failed_batch_each_image_is_tried_alone(ready: Resources) -> None:
    failing = FailingEnsemble([0.9], version="2.0")
    judgement = Judgement(Path("none"), "float32", load=lambda _: failing)
    resources = replace(ready, judgement=judgement)
    assert assess_ready(resources) == 2
    assert {image.state for image in images(resources)} == {ImageState.READY}
    with resources.database.write() as session:
        session.execute(update(Image).values(lease_until=None))
    assert assess_ready(resources) == 1
    assert assess_ready(resources) == 1
    assert {image.state for image in images(resources)} == {ImageState.SCORED}


def test_an_ensemble_that_cannot_be_loaded_costs_no_image_an_attempt(ready: Resources) -> None:
    def broken(_: Path) -> FixedEnsemble:
        raise Misconfigured("the weight file is not the one that the manifest names")

    resources = replace(ready, judgement=Judgement(Path("none"), "float32", load=broken))
    with pytest.raises(Misconfigured):
        assess_ready(resources)
    assert [image.attempts for image in images(resources)] == [0, 0]


def test_the_sweep_rings_for_what_was_forgotten(ready: Resources, drop: Drop) -> None:
    take_in(drop(FOLDER / "film-03.jpg"), ready)
    assert isinstance(ready.ringer, SilentRinger)
    ready.ringer.rung.clear()
    sweep(ready)
    assert sorted(ready.ringer.rung) == [Bell.ASSESS, Bell.ASSESS, Bell.PREPARE]


def test_the_night_scores_with_a_promoted_ensemble_and_the_rank_follows(ready: Resources) -> None:
    assess_ready(ready)
    now = datetime.now(UTC)
    second = FixedEnsemble([0.2, 0.8], version="3.0")
    resources = replace(ready, judgement=TwoVersions(second))
    with resources.database.write() as session:
        register(session, EnsembleFacts("3.0", 0.5, PREPROCESSING_VERSION), now)
        promote(session, "3.0", now)
    assert rescore(resources) == 2
    assert rescore(resources) == 0
    assert {image.urgency for image in images(resources)} == {Urgency.RESCORE}
    assert assess_ready(resources) == 2
    assert rescore(resources) == 0
    with resources.database.read() as session:
        rows = reading_order(session, limit=10)
        detail = study_detail(session, rows[0].study_instance_uid)
    assert [row.probability for row in rows] == [0.8, 0.2]
    assert detail is not None
    assert [(score.ensemble_version, score.probability) for score in detail.scores] == [
        ("2.0", 0.1),
        ("3.0", 0.8),
    ]


class TwoVersions(Judgement):
    """Knows one more version than lies on the disk."""

    def __init__(self, ensemble: FixedEnsemble) -> None:
        super().__init__(Path("none"), "float32")
        self._ensemble = ensemble

    def networks(self, version: str) -> FixedEnsemble:
        assert version == self._ensemble.version
        return self._ensemble


def test_only_what_arrived_since_is_scored_again(ready: Resources) -> None:
    assess_ready(ready)
    assert rescore(ready, again=True, received_since=datetime.now(UTC)) == 0
    assert rescore(ready, again=True) == 2
