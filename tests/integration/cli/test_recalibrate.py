"""`readfirst models recalibrate`, from verdicts in the database to a candidate in the folders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli import app
from db.access.audit import AuditAction, entries
from db.ensembles.versions import active_ensemble, known_ensembles
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from models.combining import calibrated, logit, sigmoid
from models.golden import load_golden
from models.manifest import MANIFEST_FILE, PlattScaling, load_manifest
from readfirst.ensemble_states import EnsembleState
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.fixtures.films_read_once import films_read_once  # noqa: F401
from tests.support.small_ensemble import write_site_ensemble
from tests.support.studies import (
    NOW,
    a_header,
    a_ready_image,
    give_verdict,
    lifecycle,
    score_ready,
)

pytestmark = pytest.mark.usefixtures("films_read_once")
PNEUMONIA, NORMAL = (
    VerdictInput(finding=Finding.PNEUMONIA),
    VerdictInput(finding=Finding.NO_PNEUMONIA),
)
#: Enough for a calibration, which needs 50 of each class.
STUDIES = 130


@pytest.fixture
def site(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of ensembles of a site whose ensemble is version 1."""
    monkeypatch.setenv("READFIRST_HOME", str(settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", settings.database)
    folder = settings.ensembles_path
    write_site_ensemble(folder)
    return folder


def with_verdicts(database: Database, number: int, slope: float, intercept: float) -> None:
    """Studies whose true logit is slope x the ensemble's + intercept, scored together."""
    generator = np.random.default_rng(1)
    probabilities, verdicts = {}, {}
    with lifecycle(database) as unit:
        for index in range(number):
            value = generator.normal(0, 3)
            sick = generator.random() < sigmoid(slope * value + intercept)
            study = f"1.2.{index}"
            header = a_header(patient_id=f"P-{index // 2}")
            image = a_ready_image(unit, study=study, header=header)
            probabilities[image.id] = float(sigmoid(value))
            verdicts[study] = PNEUMONIA if sick else NORMAL
        while score_ready(unit, NOW, probabilities):
            pass
        for study, verdict in verdicts.items():
            give_verdict(unit, study, verdict)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", "recalibrate", *arguments])


def evidence_of(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_candidate_is_proposed_with_its_evidence_and_nothing_is_promoted(
    database: Database, site: Path
) -> None:
    with_verdicts(database, STUDIES, 0.3, -0.5)
    before = {path.name: path.read_bytes() for path in (site / "small").iterdir()}
    tried = run("--dry-run", "--json")
    assert tried.exit_code == 0, tried.output
    assert [path.name for path in site.iterdir()] == ["small"]
    made = run("--json")
    assert made.exit_code == 0, made.output
    evidence = evidence_of(made)
    assert evidence == evidence_of(tried)
    assert (evidence["studies"], evidence["patients"], evidence["ensemble"]) == (
        STUDIES,
        STUDIES // 2,
        "1",
    )
    assert evidence["figures"]["log_loss"]["difference"]["high"] < 0
    # Of a version of its own; what was there is as it was.
    assert {path.name: path.read_bytes() for path in (site / "small").iterdir()} == before
    folder = site / "1.r1"
    manifest, earlier = load_manifest(folder), load_manifest(site / "small")
    assert manifest.members == earlier.members
    assert manifest.recalibration is not None
    golden, now = load_golden(folder, manifest), logit(np.array([0.2, 0.5, 0.9]))
    assert golden is not None
    assert len(golden.scores) > 5
    scaling = PlattScaling(slope=evidence["slope"], intercept=evidence["intercept"])
    assert manifest.threshold == pytest.approx(sigmoid(calibrated(now, scaling))[1])
    with database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        assert active.version == "1"
        candidate = known_ensembles(session)["1.r1"]
        assert candidate.state is EnsembleState.CANDIDATE
        assert candidate.prevalence == manifest.prevalence
        actions = [entry.action for entry in entries(session, limit=400)]
    assert actions.count(AuditAction.ENSEMBLE_ADDED) == 1
    assert AuditAction.ENSEMBLE_PROMOTED not in actions


# Its statements are those of the test before, which runs on both.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_better_makes_no_candidate_unless_somebody_wants_it(
    database: Database, site: Path
) -> None:
    with_verdicts(database, STUDIES, 1.0, 0.0)
    result = run()
    assert result.exit_code == 1
    assert "no candidate was made" in result.output
    assert [path.name for path in site.iterdir()] == ["small"]
    assert run("--anyway", "--version", "mine").exit_code == 0
    assert (site / "mine" / MANIFEST_FILE).is_file()
    assert "already" in str(run("--anyway", "--version", "mine").exception)


def test_too_few_verdicts_say_how_many_are_missing(database: Database, site: Path) -> None:
    with_verdicts(database, 20, 1.0, 0.0)
    result = run()
    assert "verdicts on 50 studies of each class" in str(result.exception)
    assert "more of pneumonia" in str(result.exception)
