"""A promotion with a real network: a small ensemble, and the same one recalibrated."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.access.audit import Actor
from db.worklist.queries import reading_order, study_detail
from ingest.inbox.claim import Claim
from models.manifest import PlattScaling, load_manifest, shipped_version
from readfirst.errors import Misconfigured
from readfirst.samples import FOLDER
from tests.support.small_ensemble import write_small_ensemble
from tests.support.studies import AS_STORED
from tests.support.workers import Worker
from worker.scoring.ensemble_changes import make_active
from worker.scoring.ensemble_registry import EnsembleRegistry

BY = Actor(None, None)


@pytest.fixture
def judging(worker: Worker) -> Worker:
    """A worker with a real network, in an ensemble that goes by the name of the shipped one."""
    write_small_ensemble(worker.settings.ensembles_path)
    registry = EnsembleRegistry(worker.settings.ensembles_path, "float32")
    return replace(worker, ensembles=registry)


def a_second_version(worker: Worker, version: str) -> Path:
    """The active ensemble turned round: what it calls likely, this one calls unlikely."""
    folder = worker.settings.ensembles_path / version
    shutil.copytree(worker.settings.ensembles_path / "small", folder)
    manifest = load_manifest(folder)
    slope, intercept = manifest.calibration.slope, manifest.calibration.intercept
    turned = manifest.model_copy(
        update={
            "version": version,
            "calibration": PlattScaling(slope=-slope, intercept=-intercept),
            "threshold": 1 - manifest.threshold,
        }
    )
    (folder / "manifest.json").write_text(turned.model_dump_json())
    return folder


def test_the_night_after_a_promotion(judging: Worker, drop: Callable[..., Claim]) -> None:
    for name in ("film-01.jpg", "film-02.jpg"):
        judging.take_in(drop(FOLDER / name))
    while judging.prepare_next():
        pass
    assert judging.score_batch() == 2
    with judging.database.read() as session:
        before = {
            row.study_instance_uid: row
            for row in reading_order(session, limit=9, display=AS_STORED)
        }

    a_second_version(judging, "9.9")
    with judging.database.write() as session:
        make_active(session, judging.ensembles, "9.9", BY, "root", datetime.now(UTC))
    assert judging.rescore() == 2
    assert judging.score_batch() == 2
    assert judging.rescore() == 0

    with judging.database.read() as session:
        after = {
            row.study_instance_uid: row
            for row in reading_order(session, limit=9, display=AS_STORED)
        }
        for uid, row in after.items():
            detail = study_detail(session, uid, display=AS_STORED)
            assert detail is not None
            versions = [score.ensemble_version for score in detail.scores]
            assert versions == [shipped_version(), "9.9"]
            assert row.ensemble_version == "9.9"
            assert row.flagged != before[uid].flagged
            old = before[uid].probability
            assert old is not None
            assert row.probability == pytest.approx(1 - old, abs=1e-4)


def test_an_ensemble_with_a_wrong_weight_file_is_not_promoted(judging: Worker) -> None:
    folder = a_second_version(judging, "9.9")
    weights = next(folder.glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    now = datetime.now(UTC)
    with (
        pytest.raises(Misconfigured, match="not the file"),
        judging.database.write() as session,
    ):
        make_active(session, judging.ensembles, "9.9", BY, "root", now)
    with judging.database.write() as session:
        assert judging.ensembles.active(session, now).version == shipped_version()
