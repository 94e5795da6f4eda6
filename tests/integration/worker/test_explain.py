"""Heat maps by real networks, behind the films, in slices, over the right part of the film."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from db.heat_maps import HeatMapRecord, heat_maps_of
from db.images import image_with_content
from db.lifecycle.heat_maps import want
from db.session import Database
from ingest.dicom.pixels.display import film_area
from ingest.inbox.claim import Claim
from models.ensemble import NetworkEnsemble
from models.explaining.gradcam import ensemble_heat_map
from models.explaining.lime import explain
from models.manifest import SHIPPED, EnsembleMember, find_ensembles, load_manifest, shipped_version
from models.preprocessing import LEAST_SIDE, PREPROCESSING_VERSION
from readfirst.heat_maps import Area, HeatMethod, HeatState
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from tests.support.files import a_dataset, dicom_bytes
from tests.support.networks import finder
from tests.support.workers import Worker
from worker.explaining.resumable_lime import GivesWay, LimeProgress, resuming
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import read_model_input

Drop = Callable[..., Claim]
SHIPPED_FOLDER = find_ensembles([SHIPPED])[shipped_version()]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queue has tests on both databases of its own."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture(scope="module")
def small() -> NetworkEnsemble:
    """A network that is quick and finds bright places, under the shipped ensemble's version."""
    member = EnsembleMember(
        name="finder",
        network="",
        file="none.safetensors",
        sha256="",
        input_size=64,
        parameters=0,
        weight=1.0,
    )
    changes = {"members": (member,), "pixel_check": None}
    manifest = load_manifest(SHIPPED_FOLDER).model_copy(update=changes)
    return NetworkEnsemble(manifest, [finder(64, "pooled")])


@pytest.fixture
def looking(worker: Worker, small: NetworkEnsemble) -> Worker:
    """A worker whose networks can be looked into."""
    return worker.with_ensemble(small)


def a_scored_film(worker: Worker, drop: Drop) -> str:
    """Its sha256."""
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.score_all()
    (path,) = worker.derived_images.root.glob(f"model-{PREPROCESSING_VERSION}/*/*.png")
    return path.stem


def ask_for(worker: Worker, sha256: str, method: HeatMethod) -> None:
    with worker.database.write() as session:
        image = image_with_content(session, sha256)
        assert image is not None
        want(session, image.id, shipped_version(), method, image.received_at, requested=True)


def maps(database: Database, sha256: str) -> dict[HeatMethod, HeatMapRecord]:
    with database.read() as session:
        return {heat_map.method: heat_map for heat_map in heat_maps_of(session, sha256)}


def kept(worker: Worker, sha256: str, method: HeatMethod) -> np.ndarray:
    with PillowImage.open(
        worker.derived_images.heat_map(sha256, shipped_version(), method)
    ) as image:
        return np.asarray(image)


def test_the_shipped_networks_explain_a_film_in_float32_whatever_they_score_in(
    worker: Worker, drop: Drop
) -> None:
    sha256 = a_scored_film(worker, drop)
    registry = EnsembleRegistry(worker.settings.ensembles_path, "bfloat16")
    worker = replace(worker, ensembles=registry)
    ask_for(worker, sha256, HeatMethod.GRAD_CAM)
    assert worker.explain_next()
    exact = registry.exact_networks(shipped_version())
    assert isinstance(exact, NetworkEnsemble)
    layers = [layer for network in exact.networks for layer in network.layers]
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    version = PREPROCESSING_VERSION
    image = read_model_input(worker.derived_images.model_input(sha256, version))
    expected = 255 * ensemble_heat_map(exact.manifest.members, exact.networks, image)
    heat = kept(worker, sha256, HeatMethod.GRAD_CAM)
    assert heat.shape == (224, 224)
    assert heat.max() == 255
    assert np.abs(heat - expected).max() <= 1
    heat_map = maps(worker.database, sha256)[HeatMethod.GRAD_CAM]
    assert heat_map.state is HeatState.MADE
    assert heat_map.area == film_area(FOLDER / "study-02.dcm", LEAST_SIDE)


def test_lime_is_made_in_slices_and_is_the_same_as_in_one(
    looking: Worker, small: NetworkEnsemble, drop: Drop
) -> None:
    sha256 = a_scored_film(looking, drop)
    ask_for(looking, sha256, HeatMethod.LIME)
    while looking.explain_next():
        pass
    grey = kept(looking, sha256, HeatMethod.LIME)
    version = PREPROCESSING_VERSION
    image = read_model_input(looking.derived_images.model_input(sha256, version))

    def predict(images: np.ndarray) -> np.ndarray:
        return np.array([score.probability for score in small.scores(images)])

    whole = explain(predict, image, samples=24)
    progress, turns = LimeProgress(), iter([False, True, False, True, False])
    for _ in range(2):
        with pytest.raises(GivesWay):
            explain(resuming(predict, progress, lambda: next(turns)), image, samples=24)
    sliced = explain(resuming(predict, progress, lambda: next(turns)), image, samples=24)
    assert np.allclose(sliced.weights, whole.weights)
    assert len(progress.answers) == 3
    # What speaks against lies below the middle, what speaks for above.
    full = explain(predict, image, samples=300)
    assert np.array_equal(
        grey > 128, (full.weights > 0.004 * abs(full.weights).max())[full.segments]
    )
    assert max(int(grey.max()) - 128, 128 - int(grey.min())) == 127


def test_a_film_that_comes_in_goes_first(looking: Worker, drop: Drop) -> None:
    sha256 = a_scored_film(looking, drop)
    ask_for(looking, sha256, HeatMethod.GRAD_CAM)
    looking.take_in(drop(FOLDER / "study-01.dcm"))
    assert not looking.explain_next()
    assert looking.prepare_next()
    assert not looking.explain_next()
    assert looking.score_batch() == 1
    assert looking.explain_next()
    assert maps(looking.database, sha256)[HeatMethod.GRAD_CAM].state is HeatState.MADE


def test_a_model_input_that_is_gone_is_made_again_and_a_missing_original_is_named(
    looking: Worker, drop: Drop
) -> None:
    sha256 = a_scored_film(looking, drop)
    kept_image = looking.derived_images.model_input(sha256, PREPROCESSING_VERSION)
    kept_image.unlink()
    ask_for(looking, sha256, HeatMethod.GRAD_CAM)
    assert looking.explain_next()
    assert kept_image.is_file()
    kept_image.unlink()
    looking.store.path(sha256).unlink()
    ask_for(looking, sha256, HeatMethod.LIME)
    assert looking.explain_next()
    heat_maps = maps(looking.database, sha256)
    assert heat_maps[HeatMethod.GRAD_CAM].state is HeatState.MADE
    assert heat_maps[HeatMethod.LIME].state is HeatState.FAILED
    assert "original" in str(heat_maps[HeatMethod.LIME].reason).lower()


def test_the_sweep_wakes_for_heat_maps_and_networks_without_gradients_are_no_end(
    worker: Worker, drop: Drop
) -> None:
    sha256 = a_scored_film(worker, drop)
    notifier = worker.notifier
    notifier.notified.clear()
    worker.sweep_once()
    assert TaskName.SCORE in notifier.notified, "the flagged film's own map is wanted"
    assert worker.explain_next()
    heat_map = maps(worker.database, sha256)[HeatMethod.GRAD_CAM]
    assert heat_map.state is HeatState.WANTED, "it is tried again"


def bordered(tmp_path: Path, border: tuple[int, int, int, int]) -> tuple[Path, Area]:
    """A film of 900 x 1200 in black borders: top, bottom, left, right, in pixels."""
    generator = np.random.default_rng(0)
    film = generator.integers(90, 250, (900, 1200)).astype(np.uint8)
    top, bottom, left, right = border
    whole = np.pad(film, ((top, bottom), (left, right)))
    rows, columns = whole.shape
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(whole, WindowCenter=128, WindowWidth=256)))
    area = Area(top / rows, left / columns, (top + 900) / rows, (left + 1200) / columns)
    return path, area


@pytest.mark.parametrize(
    "border", [(0, 0, 0, 0), (200, 200, 0, 0), (0, 0, 300, 100), (100, 250, 0, 400)]
)
def test_heat_lies_over_the_part_of_the_film_that_the_networks_see(
    looking: Worker, tmp_path: Path, border: tuple[int, int, int, int]
) -> None:
    path, expected = bordered(tmp_path, border)
    assert looking.reader.area(path, LEAST_SIDE) == expected
