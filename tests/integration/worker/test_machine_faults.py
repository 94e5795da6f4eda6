"""Faults of the machine stop the work, are said, and refuse nothing; faults of a film do."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as PillowImage

from cli.checks.work import check_work
from cli.status import StatusDisplay
from cli.supervisor import Supervisor
from db.tables import Image
from db.work_faults import delayed_films
from ingest.inbox.claim import Claim
from ingest.reader.reader_process import Reader
from models.manifest import shipped_version
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.domain import ImageScore, ImageState
from readfirst.errors import Misconfigured, ReadingInterrupted, Refused
from readfirst.machine_faults import MOST_UNPROVEN, FaultCode, WorkKind
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from readfirst.testing import FixedEnsemble
from tests.fixtures.worker import READER_LIMITS
from tests.support.databases import on_both
from tests.support.faults import (
    codes,
    counted,
    pauses_pass,
    states,
    stopped,
    time_passes,
    was_interrupted,
    work_until_done,
)
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry
from worklist.app import make_app

Drop = Callable[..., Claim]
FILMS = [FOLDER / "study-01.dcm", FOLDER / "film-02.jpg", FOLDER / "film-05.png"]
RECEIVED, READY = ImageState.RECEIVED, ImageState.READY
SCORED, REFUSED = ImageState.SCORED, ImageState.REFUSED


@pytest.fixture
def received(worker: Worker, drop: Drop) -> Worker:
    for film in FILMS:
        worker.take_in(drop(film))
    return worker


def model_input(worker: Worker, number: int) -> Path:
    with worker.database.read() as session:
        image = session.get_one(Image, number)
    return worker.derived_images.model_input(image.sha256, PREPROCESSING_VERSION)


def no_folder_for_derived_images(worker: Worker) -> Callable[[], None]:
    """A file stands where the folder should be, which stops root as well."""
    folder = worker.settings.prepared_path
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(b"in the way")
    return folder.unlink


def no_store(worker: Worker) -> Callable[[], None]:
    """The store is not mounted: its folder is there, and empty."""
    folder = worker.settings.store_path
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir()

    def mount() -> None:
        shutil.rmtree(folder)
        away.rename(folder)

    return mount


def no_originals(worker: Worker) -> Callable[[], None]:
    """The disk has errors: to read an original is an input/output error (EIO)."""
    originals = [path for path in worker.settings.store_path.rglob("*") if path.is_file()]
    for path in originals:
        path.rename(path.with_suffix(".away"))
        # The first page of a process's memory, which nobody may read.
        path.symlink_to("/proc/self/mem")

    def end_fault() -> None:
        for path in originals:
            path.unlink()
            path.with_suffix(".away").rename(path)

    return end_fault


def no_reader(_: Worker) -> Callable[[], None]:
    """The interpreter of the process that reads files does not start."""
    patch = pytest.MonkeyPatch()
    patch.setattr("sys.executable", "/bin/false")
    return patch.undo


PREPARING = {
    "no folder for derived images": (
        no_folder_for_derived_images,
        FaultCode.DERIVED_IMAGES_NOT_WRITTEN,
    ),
    "no store": (no_store, FaultCode.ORIGINALS_UNAVAILABLE),
    "no originals": (no_originals, FaultCode.ORIGINALS_UNAVAILABLE),
    "no reader": (no_reader, FaultCode.READER_NOT_STARTED),
}


@on_both("name", PREPARING)
def test_what_stops_preparing_is_waited_for_and_said(received: Worker, name: str) -> None:
    make, code = PREPARING[name]
    with Reader(*READER_LIMITS) as not_started:
        worker = replace(received, reader=not_started) if make is no_reader else received
        end_fault = make(worker)
        try:
            for _ in range(2 * len(FILMS)):
                assert not worker.prepare_next(), "the others would fail alike"
                worker.sweep_once()
                time_passes(worker.database)
            assert states(worker.database) == [RECEIVED] * 3
            assert counted(worker.database) == [0] * 3, "so that none is ever refused for it"
            assert stopped(worker.database) == {WorkKind.PREPARING: code}
            check_that_it_is_said(worker, code)
        finally:
            end_fault()
        work_until_done(worker)
    assert states(worker.database) == [SCORED] * 3
    assert stopped(worker.database) == {}
    check_that_all_is_well(worker)


def check_that_it_is_said(worker: Worker, code: FaultCode) -> None:
    """On the page, at `/readyz`, by the doctor and by `up`, in plain words and since when."""
    from readfirst.machine_faults import SENTENCES

    sentence, advice = SENTENCES[code]
    with TestClient(make_app(worker.settings), base_url="http://127.0.0.1") as client:
        page = client.get("/").text
        assert sentence in page
        assert advice.replace("`", "") in page.replace("`", "")
        assert "Since " in page
        ready = client.get("/readyz")
    assert ready.status_code == 503
    (check,) = [check for check in ready.json()["checks"] if check["name"] == "work"]
    assert not check["well"]
    assert "Since 2" in check["found"]
    assert sentence in check["found"]
    result = check_work(worker.settings)
    assert (result.well, result.advice) == (False, advice)
    assert result.found.startswith("since 2")
    assert sentence in result.found
    display = StatusDisplay(Supervisor(worker.settings, []))
    assert any(sentence in value for name, value in display._rows() if name == "Work")
    display.__exit__(None, None, None)


def check_that_all_is_well(worker: Worker) -> None:
    with TestClient(make_app(worker.settings), base_url="http://127.0.0.1") as client:
        assert 'class="banner" role="alert">' not in client.get("/").text
        checks = {check["name"]: check["well"] for check in client.get("/readyz").json()["checks"]}
    assert checks["work"]
    assert check_work(worker.settings).well
    with worker.database.read() as session:
        assert delayed_films(session) is None


def test_a_film_whose_folder_alone_cannot_be_written_to_keeps_no_other_film_waiting(
    received: Worker,
) -> None:
    folder = model_input(received, 1).parent
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"in the way")
    for _ in FILMS:
        while received.prepare_next():
            pass
        # The work goes on before the film that met the fault does.
        pauses_pass(received.database)
    assert states(received.database) == [RECEIVED, READY, READY]
    folder.unlink()
    work_until_done(received)
    assert states(received.database) == [SCORED] * 3


class InterruptedReader(Reader):
    """A reader whose process is ended from outside each time that it decodes a film."""

    def corrected_film(self, path: Path, least_side: int) -> Any:
        if self.seconds:
            raise ReadingInterrupted(RefusalCode.DECODER_CRASHED, "it was killed")
        return super().corrected_film(path, least_side)


def test_a_film_whose_reading_is_interrupted_waits_and_is_told(received: Worker) -> None:
    with InterruptedReader(120, 512) as reader:
        worker = replace(received, reader=reader)
        was_interrupted(worker.database, MOST_UNPROVEN - 3)
        for _ in range(2):
            while worker.prepare_next():
                pass
            worker.sweep_once()
            time_passes(worker.database)
        assert states(worker.database) == [RECEIVED] * 3
        assert counted(worker.database) == [MOST_UNPROVEN - 1] * 3
        assert stopped(worker.database) == {}, "other films are not kept waiting"
        sentence = "3 films wait to be tried again; the last error: it was killed"
        with TestClient(make_app(worker.settings), base_url="http://127.0.0.1") as client:
            assert sentence in client.get("/").text
        assert check_work(worker.settings).warning == sentence
    work_until_done(received)
    assert states(worker.database) == [SCORED] * 3
    check_that_all_is_well(received)


def test_a_film_whose_reading_is_interrupted_for_ever_ends_with_its_code(
    received: Worker,
) -> None:
    was_interrupted(received.database, MOST_UNPROVEN - 2)
    with InterruptedReader(120, 512) as reader:
        work_until_done(replace(received, reader=reader), rounds=2)
    assert codes(received.database) == [RefusalCode.DECODER_CRASHED] * 3
    received.retry_all()
    work_until_done(received)
    assert states(received.database) == [SCORED] * 3


class BrokenNetworks(FixedEnsemble):
    """Networks that fail while they are broken, and on the images that are poison to them."""

    broken = True
    poison: frozenset[int] = frozenset()

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        if self.broken or any(int(image.sum()) in self.poison for image in images):
            raise RuntimeError("CUDA_ERROR_ILLEGAL_ADDRESS")
        return super().predict(images)


def test_networks_that_fail_on_every_image_blame_none(received: Worker) -> None:
    networks = BrokenNetworks([0.9], version=shipped_version())
    worker = received.with_ensemble(networks)
    work_until_done(worker, rounds=6)
    assert counted(worker.database) == [0] * 3
    assert states(worker.database) == [READY] * 3
    assert stopped(worker.database) == {WorkKind.SCORING: FaultCode.NETWORKS_FAIL}
    check_that_it_is_said(worker, FaultCode.NETWORKS_FAIL)
    networks.broken = False
    assert worker.score_batch() == 3, "none is suspect: they are scored together"
    assert states(worker.database) == [SCORED] * 3
    check_that_all_is_well(worker)


def test_an_image_that_is_poison_to_the_networks_is_found_and_refused_alone(
    received: Worker,
) -> None:
    networks = BrokenNetworks([0.9], version=shipped_version())
    networks.broken = False
    worker = received.with_ensemble(networks)
    while worker.prepare_next():
        pass
    with PillowImage.open(model_input(worker, 2)) as pixels:
        networks.poison = frozenset({int(np.asarray(pixels).sum())})
    work_until_done(worker)
    assert states(worker.database) == [SCORED, REFUSED, SCORED]
    assert codes(worker.database)[1] is RefusalCode.PROCESSING_FAILED
    assert stopped(worker.database) == {}


@on_both(
    "error",
    [Misconfigured("the weight file is cut"), OSError(5, "Input/output error"), ValueError("h5")],
)
def test_an_ensemble_that_cannot_be_loaded_is_waited_for_and_said(
    received: Worker, error: Exception
) -> None:
    broken = True

    def load(_: Path) -> FixedEnsemble:
        if broken:
            raise error
        return FixedEnsemble([0.9], version=shipped_version())

    registry = EnsembleRegistry(received.settings.ensembles_path, "float32", load=load)
    worker = replace(received, ensembles=registry)
    while worker.prepare_next():
        pass
    for _ in range(3):
        with pytest.raises(type(error)):
            worker.score_batch()
        assert worker.score_batch() == 0, "it is not loaded anew at once"
        worker.sweep_once()
        time_passes(worker.database)
    assert counted(worker.database) == [0] * 3
    assert stopped(worker.database) == {WorkKind.SCORING: FaultCode.ENSEMBLE_NOT_LOADED}
    check_that_it_is_said(worker, FaultCode.ENSEMBLE_NOT_LOADED)
    broken = False
    work_until_done(worker)
    assert states(worker.database) == [SCORED] * 3
    check_that_all_is_well(worker)


def test_networks_that_are_loaded_at_last_are_said_to_be_well_though_no_film_waits(
    worker: Worker,
) -> None:
    good = worker.ensembles

    def broken(_: Path) -> FixedEnsemble:
        raise Misconfigured("the weight file is cut")

    registry = EnsembleRegistry(worker.settings.ensembles_path, "float32", load=broken)
    with pytest.raises(Misconfigured):
        replace(worker, ensembles=registry).score_batch()
    assert stopped(worker.database)
    time_passes(worker.database)
    assert replace(worker, ensembles=good).score_batch() == 0
    assert stopped(worker.database) == {}


def a_wrong_shape(path: Path) -> None:
    PillowImage.fromarray(np.zeros((10, 20), np.uint8)).save(path, "png")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "no picture": lambda path: path.write_bytes(b"no picture " * 99),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "wrong shape": a_wrong_shape,
    "broken chunk": lambda path: path.write_bytes(path.read_bytes()[:40] + b"\xff" * 200),
}


# It is the reading of a file that differs; the databases differ in all tests beside it.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", DAMAGE)
def test_a_model_input_that_is_damaged_is_made_again(received: Worker, name: str) -> None:
    """As after a power cut. Its film is good, and those beside it in the batch are too."""
    while received.prepare_next():
        pass
    DAMAGE[name](model_input(received, 2))
    work_until_done(received)
    assert states(received.database) == [SCORED] * 3


def test_a_model_input_that_cannot_be_read_now_is_waited_for(received: Worker) -> None:
    while received.prepare_next():
        pass
    path = model_input(received, 2)
    away = path.with_suffix(".away")
    path.rename(away)
    path.mkdir()
    for _ in range(3):
        received.score_batch()
        received.sweep_once()
        time_passes(received.database)
    assert counted(received.database) == [0] * 3
    assert stopped(received.database) == {WorkKind.SCORING: FaultCode.DERIVED_IMAGES_NOT_READ}
    path.rmdir()
    away.rename(path)
    work_until_done(received)
    assert states(received.database) == [SCORED] * 3


def test_nothing_half_written_stays_where_derived_images_cannot_be_written(
    received: Worker,
) -> None:
    path = model_input(received, 1)
    path.mkdir(parents=True)
    assert not received.prepare_next()
    assert states(received.database) == [RECEIVED] * 3
    assert [kept.name for kept in path.parent.iterdir()] == [path.name]
