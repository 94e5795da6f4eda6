"""Films of adults by their own operating point, where a site marks adults; by both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from sqlalchemy import select

from db.ensembles.changes import change_threshold
from db.ensembles.shadows import begin_shadow
from db.ensembles.thresholds import NewThreshold, active_thresholds, thresholds_of_others
from db.read_models import StudyRecord
from db.tables import Score, Study
from db.worklist.queries import reading_order, study_detail
from ingest.inbox.claim import Claim
from ingest.scope.scope_rules import DEFAULTS, parse_rules
from models.manifest import MANIFEST_FILE, Manifest, load_manifest, shipped_version
from readfirst.domain import AgeAndView, ImageScore
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.testing import FixedEnsemble
from tests.support.populations import a_population
from tests.support.studies import AS_STORED, NOBODY
from tests.support.workers import Worker, fixed_registry
from worker.scoring.offline_scoring import Scope, score_files
from worker.scoring.rescore import rank_by_new_thresholds

Drop = Callable[..., Claim]
MARKS_ADULTS = parse_rules(DEFAULTS.read_text(), '[age]\nadults = "mark"')
#: Above the children's threshold, and below that of the adults once it is stated for them.
SCORE = 0.95


@pytest.fixture
def manifest(settings: Settings, shipped_folder: Path) -> Manifest:
    """The shipped ensemble with adults, in the site's folder, which goes before the shipped one."""
    before = load_manifest(shipped_folder)
    manifest = before.model_copy(update={"populations": (a_population(),)})
    write(settings, manifest)
    return manifest


def write(settings: Settings, manifest: Manifest) -> None:
    folder = settings.ensembles_path / manifest.version
    folder.mkdir(parents=True)
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())


@pytest.fixture
def site(worker: Worker, manifest: Manifest) -> Worker:
    """A site that marks adults, and whose networks say the same of every film."""
    networks = FixedEnsemble([SCORE], version=manifest.version)
    ensembles = fixed_registry(worker.settings, networks)
    return replace(worker, rules=MARKS_ADULTS, ensembles=ensembles)


def a_film(path: Path, **attributes: Any) -> Path:
    """A sample film with other attributes, and UIDs of its own."""
    dataset = dcmread(FOLDER / "study-01.dcm")
    uid = f"1.2.3.{sum(map(ord, path.stem))}"
    changed = {"SOPInstanceUID": uid, "StudyInstanceUID": f"{uid}.1", "PatientID": path.stem}
    for keyword, value in (changed | attributes).items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
    return path


def an_adult(path: Path, **attributes: Any) -> Path:
    return a_film(path, **{"PatientAge": "040Y", "PatientBirthDate": None, **attributes})


def rows_of(worker: Worker) -> list[StudyRecord]:
    with worker.database.read() as session:
        rows = reading_order(session, limit=20, display=AS_STORED)
    return sorted(rows, key=lambda row: row.patient_id or "")


def test_an_adult_gets_the_operating_point_of_adults_and_stays_marked(
    site: Worker, drop: Drop, tmp_path: Path, manifest: Manifest
) -> None:
    site.take_in(drop(an_adult(tmp_path / "adult.dcm")))
    site.take_in(drop(a_film(tmp_path / "child.dcm")))
    site.score_all()
    adult, child = rows_of(site)
    populations = manifest.stated_populations
    expected = populations.stated(ImageScore(SCORE, {"fixed": SCORE}), AgeAndView(40, "AP"))
    assert adult.population == "adults"
    assert (adult.probability, adult.members) == (expected.probability, expected.members)
    assert adult.threshold == populations.thresholds["adults"]
    assert (adult.flagged, [mark.code for mark in adult.marks]) == (False, ["adult"])
    assert "not valid: adult" in adult.why
    assert (child.population, child.probability, child.flagged) == (None, SCORE, True)
    assert child.threshold == manifest.threshold
    with site.database.read() as session:
        detail = study_detail(session, adult.study_instance_uid, display=AS_STORED)
        assert detail is not None
        (score,) = detail.scores
        stored = session.scalars(select(Score.population).order_by(Score.id)).all()
    assert (score.population, score.threshold) == ("adults", adult.threshold)
    assert sorted(stored, key=str) == [None, "adults"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientAge": None},
        {"PatientAge": "999Y"},
        {"PatientAge": "040Y", "PatientBirthDate": "20200101"},
        {"PatientAge": "010Y"},
    ],
)
def test_who_fits_no_other_population_gets_the_first(
    site: Worker, drop: Drop, tmp_path: Path, attributes: dict[str, Any], manifest: Manifest
) -> None:
    site.take_in(drop(an_adult(tmp_path / "film.dcm", **attributes)))
    site.score_all()
    (row,) = rows_of(site)
    assert (row.population, row.probability, row.threshold) == (None, SCORE, manifest.threshold)
    assert row.marks


def test_a_picture_of_unknown_age_gets_the_first_population(site: Worker, drop: Drop) -> None:
    site.take_in(drop(FOLDER / "film-01.jpg"))
    site.score_all()
    (row,) = rows_of(site)
    assert (row.population, row.flagged) == (None, True)


def test_a_threshold_of_the_site_is_that_of_the_first_population(
    site: Worker, drop: Drop, tmp_path: Path, manifest: Manifest
) -> None:
    site.take_in(drop(an_adult(tmp_path / "adult.dcm")))
    site.take_in(drop(a_film(tmp_path / "child.dcm")))
    site.score_all()
    before, _ = rows_of(site)
    for value in (0.01, 0.99):
        new = NewThreshold(
            ensemble_version=manifest.version,
            value=value,
            method=ThresholdMethod.VALUE,
            evidence={},
            chosen_by="ann",
        )
        with site.database.write() as session:
            change_threshold(session, NOBODY, new, datetime.now(UTC))
        rank_by_new_thresholds(site.use_cases.units)
        adult, child = rows_of(site)
        assert (adult.flagged, adult.threshold) == (before.flagged, before.threshold)
        assert (adult.threshold_version, adult.population) == (1, "adults")
        assert (child.threshold, child.flagged) == (value, value < SCORE)
    with site.database.read() as session:
        (own,) = thresholds_of_others(session, manifest.version)
        current = active_thresholds(session)
        changes = session.scalars(select(Study.threshold_change)).all()
    assert (own.population, own.version, own.active) == ("adults", 1, True)
    assert own.value == before.threshold
    assert set(changes) == {current.change}, "every study knows the last change"


def test_a_candidate_in_shadow_states_adults_by_its_own_population(
    site: Worker, drop: Drop, tmp_path: Path, manifest: Manifest
) -> None:
    with_others = {"populations": (a_population(threshold=0.2),), "version": "9.9"}
    write(site.settings, manifest.model_copy(update=with_others))
    now = datetime.now(UTC)
    with site.database.write() as session:
        site.ensembles.active(session, now)
        site.ensembles.register(session, "9.9", now)
    site.take_in(drop(an_adult(tmp_path / "adult.dcm")))
    site.score_all()
    with site.database.write() as session:
        begin_shadow(session, "9.9", now)
    while site.shadow_next():
        pass
    with site.database.read() as session:
        query = select(Score.ensemble_version, Score.population, Score.flagged)
        rows = session.execute(query.order_by(Score.id)).all()
    assert [tuple(row) for row in rows] == [
        (shipped_version(), "adults", False),
        ("9.9", "adults", True),
    ]


def test_files_are_scored_offline_by_the_same_populations(
    site: Worker, tmp_path: Path, manifest: Manifest
) -> None:
    populations = manifest.stated_populations
    files = [an_adult(tmp_path / "adult.dcm"), a_film(tmp_path / "child.dcm")]
    networks = site.ensembles.networks(manifest.version)
    scope = Scope(MARKS_ADULTS, manifest.ages, populations)
    adult, child = score_files(files, site.reader, networks, 8, prevalence=None, scope=scope)
    assert (adult.population, adult.flagged) == ("adults", False)
    assert adult.threshold == populations.thresholds["adults"]
    assert (child.population, child.flagged, child.threshold) == (None, True, networks.threshold)
