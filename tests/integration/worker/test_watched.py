"""The facts that are kept of each film and ensemble, so that drift can be seen."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from db.ensembles.versions import active_ensemble
from db.monitoring.drift import reference_of
from db.tables import EnsembleVersion, Image
from ingest.inbox.claim import Claim
from models.exposure import measure_exposure
from models.manifest import shipped_version
from tests.support.files import a_dicom_file
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import read_model_input


def test_a_film_keeps_its_scanner_and_its_exposure(
    worker: Worker, drop: Callable[..., Claim], tmp_path: Path
) -> None:
    film = a_dicom_file(
        tmp_path / "film.dcm",
        Manufacturer="Northlight",
        StationName="ROOM-1",
        ExposureIndex="400",
    )
    worker.take_in(drop(film))
    assert worker.prepare_next()
    with worker.database.read() as session:
        image = session.scalars(select(Image)).one()
    assert (image.manufacturer, image.manufacturer_model_name) == ("Northlight", None)
    assert (image.station_name, image.exposure_index) == ("ROOM-1", 400.0)
    kept = worker.derived_images.model_input(image.sha256, "1")
    exposure = measure_exposure(np.asarray(read_model_input(kept)))
    assert image.median_grey == exposure.median_grey
    assert image.clipped_share == pytest.approx(exposure.clipped_share)


def test_the_database_is_given_the_reference_of_the_active_ensemble(worker: Worker) -> None:
    worker.score_batch()
    with worker.database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        reference = reference_of(active)
    assert reference is not None
    assert reference.ensemble_version == active.version


def test_an_ensemble_from_before_there_were_references_is_given_its_own(
    worker: Worker,
) -> None:
    worker.score_batch()
    with worker.database.write() as session:
        session.get_one(EnsembleVersion, shipped_version()).reference = None
    fresh = EnsembleRegistry(worker.settings.ensembles_path, "float32")
    with worker.database.write() as session:
        assert fresh.active(session, datetime.now(UTC)).reference is not None


def test_an_ensemble_whose_folder_is_gone_has_none_and_scores_on(worker: Worker) -> None:
    now = datetime.now(UTC)
    with worker.database.write() as session:
        session.add(
            EnsembleVersion(
                version="gone",
                threshold=0.5,
                preprocessing_version="1",
                registered_at=now,
                active=True,
            )
        )
        session.flush()
        assert worker.ensembles.active(session, now).reference is None
