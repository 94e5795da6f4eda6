"""What is kept of each film and ensemble, so that drift can be seen."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from db.ensembles import active_ensemble
from db.tables import Ensemble, Image
from db.watching.drift import reference_of
from ingest.claim import Claim
from models.exposure import measure_exposure
from tests.ingest.builders import a_dicom_file
from worker.assess import assess_ready
from worker.intake import take_in
from worker.prepare import prepare_next, read_model_ready
from worker.resources import Resources


def test_a_film_keeps_its_scanner_and_its_exposure(
    resources: Resources, drop: Callable[..., Claim], tmp_path: Path
) -> None:
    film = a_dicom_file(
        tmp_path / "film.dcm",
        Manufacturer="Northlight",
        StationName="ROOM-1",
        ExposureIndex="400",
    )
    take_in(drop(film), resources)
    assert prepare_next(resources)
    with resources.database.read() as session:
        image = session.scalars(select(Image)).one()
    assert (image.manufacturer, image.manufacturer_model_name) == ("Northlight", None)
    assert (image.station_name, image.exposure_index) == ("ROOM-1", 400.0)
    kept = resources.prepared.model_ready(image.sha256, "1")
    exposure = measure_exposure(np.asarray(read_model_ready(kept)))
    assert image.median_grey == exposure.median_grey
    assert image.clipped_share == pytest.approx(exposure.clipped_share)


def test_the_database_is_given_the_reference_of_the_active_ensemble(resources: Resources) -> None:
    assess_ready(resources)
    with resources.database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        reference = reference_of(active)
    assert reference is not None
    assert reference.ensemble_version == active.version


def test_an_ensemble_from_before_there_were_references_is_given_its_own(
    resources: Resources,
) -> None:
    assess_ready(resources)
    with resources.database.write() as session:
        session.get_one(Ensemble, "2.0").reference = None
    fresh = resources.judgement.__class__(resources.settings.ensembles_path, "float32")
    with resources.database.write() as session:
        assert fresh.active(session, datetime.now(UTC)).reference is not None


def test_an_ensemble_whose_folder_is_gone_has_none_and_scores_on(resources: Resources) -> None:
    now = datetime.now(UTC)
    with resources.database.write() as session:
        session.add(
            Ensemble(
                version="gone",
                threshold=0.5,
                preprocessing_version="1",
                registered_at=now,
                active=True,
            )
        )
        session.flush()
        assert resources.judgement.active(session, now).reference is None
