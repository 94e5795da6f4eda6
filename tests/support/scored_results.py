"""Results of real films that a test takes in and scores, and the command that writes them."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from cli import app
from cli.common.database import TERMINAL
from db.read_models import StudyRecord
from db.worklist.queries import reading_order
from ingest.inbox.claim import Claim
from models.manifest import SHIPPED, find_ensembles, load_manifest, shipped_version
from readfirst.errors import ReadFirstError
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import ResultKind
from readfirst.samples import FOLDER
from readfirst.testing import FixedEnsemble
from results.make import StudyResults
from results.services import ResultServices, result_services
from tests.support.results import saved
from tests.support.studies import AS_STORED
from tests.support.workers import Worker
from worker.scoring.ensemble_changes import make_active

Drop = Callable[..., Claim]
SHIPPED_FOLDER = find_ensembles([SHIPPED])[shipped_version()]


def services_of(worker: Worker, **settings: Any) -> ResultServices:
    changed = worker.settings.model_copy(update=settings)
    return result_services(changed, worker.database, worker.reader)


def a_film(folder: Path, name: str = "film.dcm", **attributes: Any) -> Path:
    """A film of the samples with these attributes; None removes one."""
    dataset = dcmread(FOLDER / "study-02.dcm")
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return saved(dataset, folder / name)


def studies(worker: Worker) -> list[StudyRecord]:
    with worker.database.read() as session:
        return reading_order(session, limit=20, display=AS_STORED)


def scored(worker: Worker, drop: Drop, *films: Path) -> str:
    """The UID of the study of films that are taken in and scored: the first one by 0.95."""
    for film in films:
        worker.take_in(drop(film))
    worker.score_all()
    (study,) = studies(worker)
    return study.study_instance_uid


def codes_of(results: StudyResults) -> list[tuple[ResultKind | None, NoResultCode]]:
    return [(each.kind, each.code) for each in results.missing]


def by_a_new_version(worker: Worker, version: str, probability: float) -> Worker:
    """The worker once all is scored again by a version that says this of each film."""
    folder = worker.settings.ensembles_path / version
    shutil.copytree(SHIPPED_FOLDER, folder)
    manifest = load_manifest(folder).model_copy(update={"version": version})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    with worker.database.write() as session:
        make_active(session, worker.ensembles, version, TERMINAL, "root", datetime.now(UTC))
    newer = worker.with_ensemble(FixedEnsemble([probability], version=version))
    assert newer.rescore()
    newer.score_all()
    return newer


def run(worker: Worker, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    url = worker.database.engine.url
    monkeypatch.setenv("READFIRST_HOME", str(worker.settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", url.render_as_string(hide_password=False))
    result = CliRunner().invoke(app, ["results", "write", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, ReadFirstError), result.exception
        return 1, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr
