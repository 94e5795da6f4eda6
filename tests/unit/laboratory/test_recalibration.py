"""Calibrations that are fitted to verdicts, and ensembles that state them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from laboratory.evaluation.metrics import area_under_curve
from laboratory.evaluation.missing_cases import missing
from laboratory.evaluation.patient_folds import FOLDS
from laboratory.evaluation.threshold_selection import calibrate
from laboratory.recalibration import fit
from laboratory.recalibration.candidate import moved, recalibrated, scaled, write_candidate
from laboratory.recalibration.fit import (
    LEAST_OF_EACH,
    LabelledStudies,
    fit_calibration,
)
from models.combining import calibrated, logit, sigmoid
from models.digests import file_sha256
from models.manifest import (
    SHIPPED,
    Manifest,
    PlattScaling,
    Recalibration,
    find_ensembles,
    load_manifest,
    shipped_version,
)
from models.reference import load_reference
from readfirst.errors import Misconfigured
from readfirst.monitoring.reference import counted


def studies_of(number: int, slope: float, intercept: float, seed: int = 0) -> LabelledStudies:
    """Studies whose true logit is slope x stated logit + intercept; two of each patient."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2.5, number)
    labels = (generator.random(number) < sigmoid(slope * logits + intercept)).astype(np.int64)
    probabilities = sigmoid(logits)
    patients = np.array([f"P-{index // 2}" for index in range(number)])
    return LabelledStudies(
        labels=labels, probabilities=probabilities, stated=probabilities, patients=patients
    )


def test_an_ensemble_that_is_too_sure_of_itself_is_set_right() -> None:
    studies = studies_of(1500, 0.5, -1.0)
    fitted = fit_calibration(studies)
    assert fitted.scaling.slope == pytest.approx(0.5, abs=0.08)
    assert fitted.scaling.intercept == pytest.approx(-1.0, abs=0.2)
    assert fitted.is_better
    for figure in fitted.figures.values():
        assert figure.difference.value == pytest.approx(figure.after.value - figure.before.value)
        assert figure.difference.low <= figure.difference.value <= figure.difference.high < 0
    assert fitted.figures["ece"].after.value < 0.05 < fitted.figures["ece"].before.value
    area = area_under_curve(studies.labels == 1, studies.probabilities)
    assert fitted.auc.value == pytest.approx(area)
    assert fitted.prevalence == pytest.approx(studies.labels.mean())


def test_what_is_right_already_is_not_called_better() -> None:
    assert not fit_calibration(studies_of(400, 1.0, 0.0)).is_better


def test_a_patient_is_measured_by_calibrations_that_never_saw_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studies = studies_of(400, 0.5, 0.0)
    patient_of = dict(zip(logit(studies.probabilities), studies.patients, strict=True))
    fitted_to: list[set[str]] = []

    def noted(logits: np.ndarray, labels: np.ndarray) -> PlattScaling:
        fitted_to.append({str(patient_of[value]) for value in logits})
        return calibrate(logits, labels)

    monkeypatch.setattr(fit, "calibrate", noted)
    fit_calibration(studies)
    everybody, *of_folds = fitted_to
    left_out = [everybody - patients for patients in of_folds]
    assert len(of_folds) == FOLDS
    # Each patient is left out once, with both studies.
    assert sum(map(len, left_out)) == len(everybody) == 200
    assert set().union(*left_out) == everybody


def test_too_few_verdicts_are_counted() -> None:
    studies = studies_of(80, 1.0, -1.5)
    lacking = missing(studies.labels, LEAST_OF_EACH)
    assert lacking["pneumonia"] == LEAST_OF_EACH - int(studies.labels.sum())
    with pytest.raises(Misconfigured, match=f"{lacking['pneumonia']} more of pneumonia"):
        fit_calibration(studies)
    assert missing(np.array([0, 1] * LEAST_OF_EACH), LEAST_OF_EACH) == {}


def test_scores_against_the_findings_and_few_patients_are_refused() -> None:
    studies = studies_of(400, -1.0, 0.0)
    with pytest.raises(Misconfigured, match="no calibration mends that"):
        fit_calibration(studies)
    studies = studies_of(400, 1.0, 0.0)
    few = replace(studies, patients=np.array(["A", "B"] * 200))
    with pytest.raises(Misconfigured, match="of 2 patients"):
        fit_calibration(few)


@pytest.fixture(scope="module")
def recalibration() -> Recalibration:
    fitted = fit_calibration(studies_of(400, 0.5, -1.0))
    return Recalibration(
        ensemble="3.0",
        slope=fitted.scaling.slope,
        intercept=fitted.scaling.intercept,
        studies=400,
        patients=200,
        pneumonia=100,
        blind=0,
        influenced=400,
        folds=5,
        figures=dict(fitted.figures),
        auc=fitted.auc,
    )


@pytest.fixture(scope="module")
def shipped() -> tuple[Path, Manifest]:
    folder = find_ensembles([SHIPPED])[shipped_version()]
    return folder, load_manifest(folder)


def test_the_same_films_are_flagged(
    recalibration: Recalibration, shipped: tuple[Path, Manifest]
) -> None:
    _, before = shipped
    now = datetime(2026, 11, 29, tzinfo=UTC)
    after = recalibrated(before, recalibration, version="3.0.r1", prevalence=0.25, now=now)
    raw = np.linspace(-20, 20, 4001)
    first, second = (sigmoid(calibrated(raw, manifest.calibration)) for manifest in (before, after))
    assert np.array_equal(first >= before.threshold, second >= after.threshold)
    scaling = PlattScaling(slope=recalibration.slope, intercept=recalibration.intercept)
    # Far from both ends, where logits are kept finite.
    middle = slice(1500, 2500)
    assert [scaled(p, scaling) for p in first[middle]] == pytest.approx(second[middle])
    assert (after.prevalence, after.golden, after.reference) == (0.25, None, None)
    assert after.metrics.auc == before.metrics.auc
    assert after.metrics.ece == recalibration.figures["ece"].after
    assert after.metrics.ece_at_own_prevalence is None
    assert Manifest.model_validate_json(after.model_dump_json()) == after


def test_its_folder_has_the_same_networks_and_a_reference_of_its_own(
    recalibration: Recalibration, shipped: tuple[Path, Manifest], tmp_path: Path
) -> None:
    source, before = shipped
    now = datetime(2026, 11, 29, tzinfo=UTC)
    manifest = recalibrated(before, recalibration, version="3.0.r1", prevalence=0.25, now=now)
    folder = tmp_path / "candidate"
    write_candidate(source, before, manifest, folder)
    written = load_manifest(folder)
    assert [member.sha256 for member in written.members] == [
        file_sha256(folder / member.file) for member in before.members
    ]
    reference = load_reference(folder, written)
    earlier = load_reference(source, before)
    assert reference is not None
    assert earlier is not None
    assert reference.ensemble_version == "3.0.r1"
    assert reference.scores.normal == earlier.scores.normal
    # Scores fall into the same bins as before.
    scaling = PlattScaling(slope=recalibration.slope, intercept=recalibration.intercept)
    assert reference.scores == moved(earlier, scaling, "3.0.r1").scores
    scores = np.linspace(0.01, 0.99, 500)
    after = np.array([scaled(score, scaling) for score in scores])
    assert counted(after, reference.scores.edges) == counted(scores, earlier.scores.edges)
