"""Heat maps as results: from the networks to pictures and outlines."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from db.images import image_with_content
from db.lifecycle.heat_maps import want
from ingest.inbox.claim import Claim
from models.ensemble import NetworkEnsemble
from models.manifest import EnsembleMember, load_manifest, shipped_version
from readfirst.heat_maps import Area, HeatMethod
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import ResultKind
from readfirst.samples import FOLDER
from results.heat_maps import outlines_of, painted_film
from results.make import make_results
from tests.support.networks import finder
from tests.support.results import dciodvfy_errors, saved
from tests.support.scored_results import (
    SHIPPED_FOLDER,
    codes_of,
    scored,
    services_of,
    studies,
)
from tests.support.workers import Worker

Drop = Callable[..., Claim]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The one query of its own has a test on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def looking(worker: Worker) -> Worker:
    """A worker whose network is quick and finds bright places, and flags every film."""
    member = EnsembleMember(
        name="finder", network="", file="none.safetensors", sha256="", input_size=64,
        parameters=0, weight=1.0,
    )  # fmt: skip
    changes = {"members": (member,), "pixel_check": None, "threshold": 0.000001}
    manifest = load_manifest(SHIPPED_FOLDER)
    ensemble = NetworkEnsemble(manifest.model_copy(update=changes), [finder(64, "pooled")])
    return worker.with_ensemble(ensemble)


def test_a_heat_map_leaves_as_a_picture_and_as_outlines(
    looking: Worker, drop: Drop, tmp_path: Path
) -> None:
    uid = scored(looking, drop, FOLDER / "study-02.dcm")
    kinds = [ResultKind.SC, ResultKind.GSPS]
    missing = make_results(services_of(looking), uid, kinds)
    assert {code for _, code in codes_of(missing)} == {NoResultCode.NO_HEAT_MAP}
    (study,) = studies(looking)
    with looking.database.write() as session:
        image = image_with_content(session, study.images[0].sha256)
        assert image is not None
        want(
            session, image.id, shipped_version(), HeatMethod.GRAD_CAM, image.received_at,
            requested=True,
        )  # fmt: skip
    while looking.explain_next():
        pass
    results = make_results(services_of(looking), uid, kinds)
    assert not results.missing
    capture, state = (each.dataset for each in results.objects)
    film = dcmread(FOLDER / "study-02.dcm")
    assert capture.Rows > film.Rows
    assert capture.Columns == film.Columns
    (annotation,) = state.GraphicAnnotationSequence
    for line in annotation.GraphicObjectSequence:
        assert max(line.GraphicData[::2]) <= film.Columns
        assert max(line.GraphicData[1::2]) <= film.Rows
    (voi,) = state.SoftcopyVOILUTSequence
    assert (voi.WindowCenter, voi.WindowWidth) == (film.WindowCenter, film.WindowWidth)
    for made in results.objects:
        assert dciodvfy_errors(saved(made.dataset, tmp_path / "result.dcm")) == []


def test_heat_lies_where_the_networks_looked() -> None:
    film = np.full((200, 100), 80, dtype=np.uint8)
    heat = np.zeros((224, 224))
    heat[:112, :112] = 1.0
    area = Area(0.5, 0.0, 1.0, 1.0)
    picture = painted_film(film, heat, area)
    is_painted = (picture != 80).any(axis=-1)
    assert not is_painted[:99].any()
    assert is_painted[105:145, 5:45].all()
    assert not is_painted[155:, :].any()
    (outline,) = outlines_of(heat, area, film.shape)
    assert np.allclose(outline.min(axis=0), (0, 100), atol=1)
    assert np.allclose(outline.max(axis=0), (50, 150), atol=1)


def test_a_large_film_is_painted_smaller() -> None:
    film = np.zeros((4000, 3000), dtype=np.uint8)
    assert painted_film(film, np.ones((224, 224)), Area(0, 0, 1, 1)).shape == (1536, 1152, 3)
