from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from db.ensembles.versions import EnsembleFacts, promote, register
from db.tables import Image
from db.worklist.queries import reading_order, study_detail
from ingest.inbox.claim import Claim
from models.manifest import shipped_version
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.domain import ImageScore, ImageState, Urgency
from readfirst.errors import Misconfigured, Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from readfirst.testing import FixedEnsemble
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.studies import AS_STORED
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import read_model_input

Drop = Callable[..., Claim]
FILMS = [FOLDER / "study-01.dcm", FOLDER / "film-02.jpg"]


def images(worker: Worker) -> list[Image]:
    with worker.database.read() as session:
        return list(session.scalars(select(Image).order_by(Image.id)))


@pytest.fixture
def ready(worker: Worker, drop: Drop) -> Worker:
    for film in FILMS:
        worker.take_in(drop(film))
    while worker.prepare_next():
        pass
    return worker


def test_preparing_keeps_a_lossless_square_and_a_thumbnail(ready: Worker) -> None:
    for image in images(ready):
        assert image.state is ImageState.READY
        path = ready.derived_images.model_input(image.sha256, PREPROCESSING_VERSION)
        kept = read_model_input(path)
        assert kept.shape == (224, 224)
        assert kept.dtype == np.uint8
        assert ready.derived_images.thumbnail(image.sha256).is_file()


def test_ready_images_are_scored_in_one_batch_and_ranked(ready: Worker) -> None:
    assert ready.score_batch() == 2
    assert ready.score_batch() == 0
    with ready.database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
    assert [row.probability for row in rows] == [0.95, 0.1]
    assert [row.flagged for row in rows] == [True, False]
    assert all(row.ensemble_version == shipped_version() for row in rows)


def test_pixels_that_cannot_be_decoded_are_refused_when_they_are_prepared(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    from pydicom.uid import JPEG2000Lossless

    whole = bytearray(dicom_bytes(a_dataset(a_gradient()), JPEG2000Lossless))
    start = len(whole) * 2 // 3
    whole[start : start + 200] = b"\x13" * 200
    garbled = tmp_path / "film.dcm"
    garbled.write_bytes(whole[: len(whole) - 8].replace(b"\xff\x52", b"\x00\x00") + whole[-8:])
    worker.take_in(drop(garbled))
    worker.prepare_next()
    (image,) = images(worker)
    assert image.code is RefusalCode.PIXELS_UNREADABLE
    assert worker.store.has(image.sha256)


def test_an_original_that_is_gone_is_named(worker: Worker, drop: Drop) -> None:
    worker.take_in(drop(FILMS[0]))
    (image,) = images(worker)
    worker.store.path(image.sha256).unlink()
    worker.prepare_next()
    assert images(worker)[0].code is RefusalCode.ORIGINAL_MISSING


def test_a_model_input_that_is_gone_is_made_again(ready: Worker) -> None:
    lost = images(ready)[0]
    ready.derived_images.model_input(lost.sha256, PREPROCESSING_VERSION).unlink()
    ready.score_batch()
    assert [image.state for image in images(ready)] == [ImageState.RECEIVED, ImageState.SCORED]
    assert ready.prepare_next()
    assert ready.score_batch() == 1
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
        scores = super().predict(images)
        return [Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH), *scores[1:]]


def test_what_is_no_chest_film_is_refused_and_the_rest_of_its_batch_scored(
    ready: Worker,
) -> None:
    checking = CheckingEnsemble([0.9, 0.95], version=shipped_version())
    assert ready.with_ensemble(checking).score_batch() == 2
    refused, scored = images(ready)
    assert (refused.state, refused.code) == (
        ImageState.REFUSED,
        RefusalCode.NOT_A_CHEST_RADIOGRAPH,
    )
    assert refused.reason is not None
    assert scored.state is ImageState.SCORED
    with ready.database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
    assert [row.probability for row in rows] == [0.95, None]
    assert ready.store.has(refused.sha256)


def test_after_a_failed_batch_each_image_is_tried_alone(ready: Worker) -> None:
    failing = FailingEnsemble([0.9], version=shipped_version())
    worker = ready.with_ensemble(failing)
    assert worker.score_batch() == 2
    assert {image.state for image in images(worker)} == {ImageState.READY}
    with worker.database.write() as session:
        session.execute(update(Image).values(lease_until=None))
    assert worker.score_batch() == 1
    assert worker.score_batch() == 1
    assert {image.state for image in images(worker)} == {ImageState.SCORED}


def test_an_ensemble_that_cannot_be_loaded_costs_no_image_an_attempt(ready: Worker) -> None:
    def broken(_: Path) -> FixedEnsemble:
        raise Misconfigured("the weight file is not the one that the manifest names")

    worker = replace(ready, ensembles=EnsembleRegistry(Path("none"), "float32", load=broken))
    with pytest.raises(Misconfigured):
        worker.score_batch()
    assert [image.attempts for image in images(worker)] == [0, 0]


def test_the_sweep_wakes_for_what_was_forgotten(ready: Worker, drop: Drop) -> None:
    ready.take_in(drop(FOLDER / "film-03.jpg"))
    ready.notifier.notified.clear()
    ready.sweep_once()
    assert sorted(ready.notifier.notified) == [TaskName.SCORE, TaskName.SCORE, TaskName.PREPARE]


def test_the_night_scores_with_a_promoted_ensemble_and_the_rank_follows(ready: Worker) -> None:
    ready.score_batch()
    now = datetime.now(UTC)
    second = FixedEnsemble([0.2, 0.8], version="9.0")
    worker = replace(ready, ensembles=TwoVersions(second))
    with worker.database.write() as session:
        register(session, EnsembleFacts("9.0", 0.5, PREPROCESSING_VERSION), now)
        promote(session, "9.0", now)
    assert worker.rescore() == 2
    assert worker.rescore() == 0
    assert {image.urgency for image in images(worker)} == {Urgency.RESCORE}
    assert worker.score_batch() == 2
    assert worker.rescore() == 0
    with worker.database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
        detail = study_detail(session, rows[0].study_instance_uid, display=AS_STORED)
    assert [row.probability for row in rows] == [0.8, 0.2]
    assert detail is not None
    # The newest film is scored again first.
    assert [(score.ensemble_version, score.probability) for score in detail.scores] == [
        (shipped_version(), 0.95),
        ("9.0", 0.8),
    ]


class TwoVersions(EnsembleRegistry):
    """Knows one more version than lies on the disk."""

    def __init__(self, ensemble: FixedEnsemble) -> None:
        super().__init__(Path("none"), "float32")
        self._ensemble = ensemble

    def networks(self, version: str) -> FixedEnsemble:
        assert version == self._ensemble.version
        return self._ensemble


def test_only_what_arrived_since_is_scored_again(ready: Worker) -> None:
    ready.score_batch()
    assert ready.rescore(again=True, received_since=datetime.now(UTC)) == 0
    assert ready.rescore(again=True) == 2
