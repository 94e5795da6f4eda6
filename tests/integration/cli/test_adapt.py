"""`readfirst models adapt`, from films or verdicts to a candidate in the folders."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli import app
from db.ensembles.versions import active_ensemble, known_ensembles
from db.session import Database
from laboratory.adaptation.features import FilmFeatures, extract_features
from laboratory.data.dataset import read_grey
from models.combining import sigmoid
from models.ensemble import load_ensemble
from models.golden import load_golden
from models.manifest import MANIFEST_FILE, Manifest, load_manifest, shipped_version
from models.preprocessing import Array8, standardise
from models.reference import load_reference
from readfirst.ensemble_states import EnsembleState
from readfirst.settings import Settings
from tests.fixtures.films_read_once import films_read_once  # noqa: F401
from tests.support.small_ensemble import write_site_ensemble
from tests.support.verdict_exports import NORMAL, PNEUMONIA, films_with_verdicts

pytestmark = pytest.mark.usefixtures("films_read_once")
FILMS = 180
#: Enough for a calibration, which needs 50 of each class.
SOME = 110
#: What runs no statement that others here do not run on both.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def site(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of ensembles of a site whose ensemble is version 1."""
    monkeypatch.setenv("READFIRST_HOME", str(settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", settings.database)
    write_site_ensemble(settings.ensembles_path)
    return settings.ensembles_path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films of bright and dark spots, no two alike."""
    folder, generator = tmp_path_factory.mktemp("films"), np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :64]
    for number in range(FILMS):
        film = generator.normal(120, 8, (64, 64))
        for _ in range(4):
            row, column, size = generator.uniform((0, 0, 4), (64, 64, 20))
            away = (rows - row) ** 2 + (columns - column) ** 2
            film += generator.uniform(-120, 120) * np.exp(-away / size**2)
        Image.fromarray(np.clip(film, 0, 255).astype(np.uint8)).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def features(films: Path, tmp_path_factory: pytest.TempPathFactory) -> FilmFeatures:
    """The films as version 1 sees them."""
    ensemble = load_ensemble(write_site_ensemble(tmp_path_factory.mktemp("small")), "float32")
    return extract_features(ensemble, images_of(films))


def images_of(films: Path) -> Array8:
    return np.stack([standardise(read_grey(path)) for path in sorted(films.glob("*.png"))])


def label_table(folder: Path, labels: Sequence[bool], changes: Mapping[str, str] = {}) -> Path:
    """A table of the films, two of each patient. changes: other labels, and other files."""
    table = folder / "labels.csv"
    rows = {f"{n:03}.png": "pneumonia" if sick else "normal" for n, sick in enumerate(labels)}
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient"])
        for number, (path, label) in enumerate((rows | dict(changes)).items()):
            writer.writerow([path, label, f"P-{number // 2}"])
    return table


def drawn(logits: np.ndarray, seed: int = 1) -> list[bool]:
    """Labels whose true logits these are."""
    return list(np.random.default_rng(seed).random(len(logits)) < sigmoid(logits))


def standard(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values.std())


def hidden(features: FilmFeatures) -> np.ndarray:
    """Tell what a feature says of the films that their logits do not: (n,), of unit variance."""
    logits = standard(features.logits)
    values = np.array([standard(f) for f in features.features.T if f.std() > 0])
    rest = values - np.outer(values @ logits / len(logits), logits)
    # The one without outliers.
    return min((standard(each) for each in rest), key=lambda each: float(np.abs(each).max()))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", "adapt", *map(str, arguments)])


def run_on(films: Path, table: Path, *arguments: str | Path) -> Result:
    return run("1", "--data", films, "--labels", table, *arguments)


def printed(result: Result) -> Any:
    return json.loads(result.stdout)


@sqlite_only
def test_a_linear_layer_that_is_better_becomes_a_candidate_of_its_own(
    database: Database, site: Path, films: Path, features: FilmFeatures, tmp_path: Path
) -> None:
    labels = drawn(1.2 * standard(features.logits) + 3 * hidden(features))
    table = label_table(tmp_path, labels)
    before = {path.name: path.read_bytes() for path in (site / "small").iterdir()}
    arguments = (films, table, "--least", "80", "--json")
    tried = run_on(*arguments, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert [path.name for path in site.iterdir()] == ["small"]
    made = run_on(*arguments, "--population", "Spots", "--ages", "18-90")
    assert made.exit_code == 0, made.output
    assert printed(made) == printed(tried)
    evidence = printed(made)["evidence"]
    assert printed(made)["best"] == evidence["level"] == "linear_layer"
    assert (evidence["films"], evidence["patients"]) == (FILMS, FILMS // 2)
    assert evidence["left_out"] == {}
    assert evidence["layer_gain"]["difference"]["high"] < 0
    # What was there is as it was.
    assert {path.name: path.read_bytes() for path in (site / "small").iterdir()} == before
    manifest = load_manifest(site / "1.a1")
    check_candidate(manifest, load_manifest(site / "small"), evidence)
    golden, reference = (
        load_golden(site / "1.a1", manifest),
        load_reference(site / "1.a1", manifest),
    )
    assert golden is not None
    assert reference is not None
    assert sum(reference.scores.pneumonia) == sum(labels)
    # The files say what was fitted: other scores, which tell the classes apart better.
    scores = load_ensemble(site / "1.a1", "float32").scores(images_of(films))
    probabilities = np.array([score.probability for score in scores])
    of_sick, of_others = (probabilities[np.array(labels) == sick] for sick in (True, False))
    assert (
        np.mean(of_sick[:, None] > of_others)
        > evidence["figures"]["calibration"]["auc"]["after"]["high"]
    )
    assert np.mean(probabilities) == pytest.approx(np.mean(labels), abs=0.05)
    check_known(database, active_version=shipped_version())


def check_known(database: Database, *, active_version: str) -> None:
    with database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        assert active.version == active_version
        assert known_ensembles(session)["1.a1"].state is EnsembleState.CANDIDATE


def check_candidate(manifest: Manifest, earlier: Manifest, evidence: dict[str, Any]) -> None:
    assert manifest.adaptation is not None
    assert manifest.adaptation.model_dump(mode="json") == evidence
    assert manifest.members[0].network == earlier.members[0].network
    assert manifest.members[0].sha256 != earlier.members[0].sha256
    assert manifest.prevalence == pytest.approx(evidence["pneumonia"] / FILMS)
    assert manifest.population.startswith(f"Spots: adapted on {FILMS} films")
    assert manifest.ages is not None
    assert (manifest.ages.from_years, manifest.ages.to_years) == (18, 90)
    assert (
        manifest.metrics.auc.value == evidence["figures"]["linear_layer"]["auc"]["after"]["value"]
    )


@sqlite_only
def test_few_films_are_calibrated_and_the_missing_ones_are_counted(
    site: Path, films: Path, features: FilmFeatures, tmp_path: Path
) -> None:
    labels = drawn(1.5 * standard(features.logits) - 0.3)[:SOME]
    table = label_table(tmp_path, labels)
    result = run_on(films, table, "--least", "200", "--version", "mine")
    assert result.exit_code == 0, result.output
    sick, others = (200 - labels.count(label) for label in (True, False))
    assert f"{sick} more of pneumonia and {others} more of no pneumonia" in result.output
    assert "marked as not validated" in result.output.replace("\n", " ")
    manifest, earlier = load_manifest(site / "mine"), load_manifest(site / "small")
    assert manifest.members == earlier.members
    assert manifest.adaptation is not None
    assert (manifest.adaptation.level, manifest.ages) == ("calibration", None)
    # The same films are flagged.
    probabilities = {
        version: np.array(
            [s.probability for s in load_ensemble(folder, "float32").scores(images_of(films))]
        )
        for version, folder in (("1", site / "small"), ("mine", site / "mine"))
    }
    flagged = {
        "1": probabilities["1"] >= earlier.threshold,
        "mine": probabilities["mine"] >= manifest.threshold,
    }
    assert np.array_equal(flagged["1"], flagged["mine"])
    again = run_on(films, table, "--version", "mine")
    assert "already" in str(again.exception)
    too_few = run_on(films, label_table(tmp_path, labels[:60]))
    assert "50 films of each class" in str(too_few.exception)


@sqlite_only
def test_what_is_no_better_makes_no_candidate_unless_somebody_wants_it(
    site: Path, films: Path, features: FilmFeatures, tmp_path: Path
) -> None:
    # The small ensemble's own probabilities are right.
    manifest = load_manifest(site / "small")
    fitting = manifest.calibration.model_copy(
        update={"slope": 1 / float(features.logits.std()), "intercept": 0.0}
    )
    fitting = fitting.model_copy(
        update={"intercept": -float(features.logits.mean()) * fitting.slope}
    )
    changed = manifest.model_copy(update={"calibration": fitting})
    (site / "small" / MANIFEST_FILE).write_text(changed.model_dump_json())
    table = label_table(tmp_path, drawn(standard(features.logits), seed=2)[:SOME])
    arguments = (films, table, "--least", "200")
    result = run_on(*arguments)
    assert result.exit_code == 1
    assert "no candidate was made" in result.output
    assert [path.name for path in site.iterdir()] == ["small"]
    assert run_on(*arguments, "--anyway").exit_code == 0
    assert (site / "1.a1" / MANIFEST_FILE).is_file()


@sqlite_only
def test_what_is_left_out_is_counted_and_named(
    site: Path, films: Path, features: FilmFeatures, tmp_path: Path
) -> None:
    labels = drawn(1.5 * standard(features.logits))[:SOME]
    for path in sorted(films.glob("*.png"))[:SOME]:
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "again.png").write_bytes((films / "000.png").read_bytes())
    (tmp_path / "otherwise.png").write_bytes((films / "001.png").read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no film")
    words = {True: "pneumonia", False: "normal"}
    table = label_table(
        tmp_path,
        labels,
        {
            "again.png": words[labels[0]],
            "otherwise.png": words[not labels[1]],
            "broken.png": "normal",
        },
    )
    arguments = (tmp_path, table, "--least", "200", "--dry-run")
    report = printed(run_on(*arguments, "--json"))
    assert report["evidence"]["left_out"] == {"same_content": 1, "two_labels": 2, "unreadable": 1}
    assert report["evidence"]["films"] == SOME - 1
    names = {film["name"]: film["reason"] for film in report["left_out"]}
    assert names == {
        "again.png": "same_content",
        "001.png": "two_labels",
        "otherwise.png": "two_labels",
        "broken.png": "unreadable",
    }
    for_people = run_on(*arguments).output.replace("\n", " ")
    assert "Left out: 1 films" in for_people
    assert "broken.png" in for_people


# What reads the films of verdicts runs on both in tests of exporting them.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_verdicts_are_labels_of_a_candidate(
    database: Database,
    settings: Settings,
    site: Path,
    films: Path,
    features: FilmFeatures,
) -> None:
    labels = drawn(1.5 * standard(features.logits))
    verdicts = {
        films / f"{number:03}.png": PNEUMONIA if sick else NORMAL
        for number, sick in enumerate(labels[:SOME])
    }
    films_with_verdicts(database, settings, verdicts)
    result = run("--from-verdicts", "--anyway", "--json")
    assert result.exit_code == 0, result.output
    evidence = printed(result)["evidence"]
    assert (evidence["on"], evidence["films"], evidence["patients"]) == ("verdicts", SOME, SOME)
    assert evidence["pneumonia"] == sum(labels[:SOME])
    assert (evidence["blind"], evidence["influenced"]) == (0, SOME)
    check_known(database, active_version="1")
    late = run("--from-verdicts", "--since", "2190-01-01")
    assert "No study has a verdict" in str(late.exception)


def test_where_nobody_gave_a_verdict_there_is_none_to_fit_to(site: Path) -> None:
    for since in ((), ("--since", "2h")):
        assert "No study has a verdict" in str(run("--from-verdicts", *since).exception)


def test_options_that_do_not_go_together_are_refused(site: Path, films: Path) -> None:
    for arguments, words in (
        ((), "--data DIR, or take them --from-verdicts"),
        (("--data", films, "--from-verdicts"), "--data DIR, or take them --from-verdicts"),
        (("--data", films, "--since", "2h"), "--since goes with"),
        (("--data", films, "--sensitivity", "0.9", "--miss-cost", "2"), "Choose one of"),
        (("--data", films, "--ages", "old"), "Write it as 18-90"),
        (("--data", films), "has no folder NORMAL"),
        (("9.9", "--data", films), "There is no ensemble 9.9"),
    ):
        assert words in str(run(*arguments).exception)
