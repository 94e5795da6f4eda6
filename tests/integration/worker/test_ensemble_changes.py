"""An ensemble is added, reaches the other machines of a site, and is noted in the audit log."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.access.audit import Actor, entries
from db.ensembles.changes import EnsembleChange, change_ensemble
from db.ensembles.versions import active_ensemble, known_ensembles
from ingest.inbox.store import Store
from models.ensemble import load_ensemble
from models.golden import load_golden
from models.manifest import SHIPPED, find_ensembles, load_manifest, shipped_version
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from tests.support.ensembles import an_ensemble_folder
from tests.support.workers import Worker
from worker.scoring.ensemble_changes import (
    AddedEnsemble,
    add_ensemble,
    check_golden,
    make_active,
    score_samples,
)
from worker.scoring.ensemble_registry import EnsembleRegistry

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BY = Actor("anna", None)
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Folders:
    """Loads nothing, and remembers the folders that networks were wanted from."""

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def __call__(self, folder: Path) -> "Folders":
        self.folders.append(folder)
        return self

    @property
    def version(self) -> str:
        return load_manifest(self.folders[-1]).version


def a_machine(worker: Worker, folder: Path) -> tuple[EnsembleRegistry, Folders]:
    """Another machine of the site: it shares database and store, and has ensembles of its own."""
    loader = Folders()
    store = Store(worker.settings.store_path)
    return EnsembleRegistry(folder, "float32", load=loader, store=store), loader  # type: ignore[arg-type]


def added(
    worker: Worker, registry: EnsembleRegistry, source: Path, scores: Mapping[str, float]
) -> AddedEnsemble:
    return add_ensemble(
        source,
        database=worker.database,
        registry=registry,
        store=Store(worker.settings.store_path),
        score=lambda _: scores,
        by=BY,
        user="root",
        now=NOW,
    )


def test_a_candidate_reaches_every_machine_and_goes_its_way(worker: Worker, tmp_path: Path) -> None:
    first, _ = a_machine(worker, tmp_path / "here")
    second, loaded = a_machine(worker, tmp_path / "there")
    with worker.database.write() as session:
        first.active(session, NOW)
    source = an_ensemble_folder(tmp_path / "source", "3.1", golden={"ab": 0.5})
    assert [check.computed for check in added(worker, first, source, {"ab": 0.51}).checks] == [0.51]
    with worker.database.write() as session:
        assert known_ensembles(session)["3.1"].state is EnsembleState.CANDIDATE
        make_active(session, first, "3.1", BY, "root", NOW)
    with worker.database.write() as session:
        version = second.active(session, NOW).version
    assert second.networks(version).version == "3.1"
    assert loaded.folders == [tmp_path / "there" / "3.1"]
    with worker.database.write() as session:
        assert make_active(session, first, None, BY, "root", NOW).version == shipped_version()
        change_ensemble(session, BY, EnsembleChange.RETIRE, NOW, "3.1", by="root")
    with worker.database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        assert active.version == shipped_version()
        assert known_ensembles(session)["3.1"].state is EnsembleState.RETIRED
        log = [(entry.account, entry.action) for entry in entries(session, limit=9)]
    actions = ("retired", "rolled_back", "promoted", "added")
    assert log == [("anna", f"ensemble_{action}") for action in actions]


def test_one_that_scores_otherwise_here_leaves_nothing(worker: Worker, tmp_path: Path) -> None:
    first, _ = a_machine(worker, tmp_path / "here")
    source = an_ensemble_folder(tmp_path / "source", "3.1", golden={"ab": 0.5, "cd": 0.2})
    with pytest.raises(Misconfigured, match=r"1 of 2 sample films .* 0\.700 instead of 0\.500"):
        added(worker, first, source, {"ab": 0.7, "cd": 0.21})
    with pytest.raises(Misconfigured, match="none of its films is here"):
        added(worker, first, source, {"ef": 0.5})
    assert list((tmp_path / "here").iterdir()) == []
    with worker.database.read() as session:
        assert "3.1" not in known_ensembles(session)
    assert added(worker, first, source, {"ab": 0.5, "cd": 0.2}).version == "3.1"


def test_an_ensemble_whose_files_the_store_lost_is_wanted(worker: Worker, tmp_path: Path) -> None:
    first, _ = a_machine(worker, tmp_path / "here")
    second, _ = a_machine(worker, tmp_path / "there")
    source = an_ensemble_folder(tmp_path / "source", "3.1")
    added(worker, first, source, {})
    with worker.database.write() as session:
        make_active(session, first, "3.1", BY, "root", NOW)
    weights = load_manifest(source).members[0]
    Store(worker.settings.store_path).path(weights.sha256).write_bytes(b"other bytes")
    with worker.database.write() as session:
        assert second.active(session, NOW).version == "3.1"
    with pytest.raises(Misconfigured, match="Bring it in by"):
        second.networks("3.1")
    assert list((tmp_path / "there").iterdir()) == []


@sqlite_only
def test_the_shipped_ensemble_does_here_what_it_did(worker: Worker) -> None:
    folder = find_ensembles([SHIPPED])[shipped_version()]
    checks = check_golden(
        folder, lambda path: score_samples(load_ensemble(path, "float32"), worker.reader)
    )
    golden = load_golden(folder, load_manifest(folder))
    assert golden is not None
    assert len(checks) == len(golden.scores)
    assert max(abs(check.computed - check.expected) for check in checks) < golden.tolerance


@sqlite_only
def test_a_turned_ensemble_is_caught(worker: Worker) -> None:
    folder = find_ensembles([SHIPPED])[shipped_version()]

    def turned(path: Path) -> Mapping[str, float]:
        ensemble = load_ensemble(path, "float32")
        calibration = ensemble.manifest.calibration
        other = calibration.model_copy(update={"slope": -calibration.slope})
        manifest = ensemble.manifest.model_copy(update={"calibration": other})
        return score_samples(replace(ensemble, manifest=manifest), worker.reader)

    with pytest.raises(Misconfigured, match="score otherwise here"):
        check_golden(folder, turned)
