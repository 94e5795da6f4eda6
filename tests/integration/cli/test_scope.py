"""`readfirst scope`, and the marks and warnings that the other commands print."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from db.session import Database
from ingest.scope.scope_rules import TAG_RULES
from readfirst.errors import Misconfigured
from readfirst.samples import FOLDER
from readfirst.studies.marks import MarkCode, mark
from tests.support.files import a_dicom_file
from tests.support.studies import a_header, a_scored_image, an_image

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("home")
def test_the_rules_in_force_are_printed() -> None:
    result = run("scope")
    assert result.exit_code == 0, result.output
    assert "validated on 1 to 5 years" in result.stdout
    rules = json.loads(run("scope", "--json").stdout)
    assert list(rules) == ["ages", *TAG_RULES, "age"]
    assert rules["age"]["adults"] == "refuse"
    assert rules["ages"] == {"from_years": 1, "to_years": 5}


def test_a_site_sees_its_own_rules(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = home / "site.toml"
    site.write_text('[age]\nadults = "mark"\n')
    monkeypatch.setenv("READFIRST_SCOPE", str(site))
    assert json.loads(run("scope", "--json").stdout)["age"]["adults"] == "mark"
    assert json.loads(run("doctor", "--json").stdout)[1]["found"] == str(site)


def test_a_pattern_without_effect_is_named_and_stops_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = home / "site.toml"
    site.write_text('[modality]\nmark = ["SC"]\nrefuse = ["S*"]\nscore = ["CR", "DX"]\n')
    monkeypatch.setenv("READFIRST_SCOPE", str(site))
    sentence = "[modality] mark = 'SC' has no effect: refuse = 'S*' means all of the same values"
    assert sentence not in run("scope").stderr, "SC is more specific than S*"
    site.write_text('[modality]\nmark = ["SC"]\nrefuse = ["*SC*"]\nscore = ["CR", "DX"]\n')
    sentence = "[modality] mark = 'SC' has no effect: refuse = '*SC*' means all of the same values"
    result = run("scope", "--json")
    assert result.exit_code == 0
    assert sentence in result.stderr
    assert json.loads(result.stdout)["modality"]["refuse"] == ["*SC*"]
    finding = json.loads(run("doctor", "--json").stdout)[1]
    assert (finding["name"], finding["well"]) == ("scope", True)
    assert sentence in finding["warning"]


@pytest.mark.parametrize("command", [["scope"], ["up"], ["demo"], ["ingest"], ["score", "."]])
def test_a_wrong_rule_ends_each_command_at_its_start(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (home / "site.toml").write_text('[age]\nadults = "score"\n')
    monkeypatch.setenv("READFIRST_SCOPE", str(home / "site.toml"))
    monkeypatch.setenv("READFIRST_PORT", "0")
    result = run(*command)
    assert isinstance(result.exception, Misconfigured)
    assert "line 2: [age] adults" in str(result.exception)
    finding = json.loads(run("doctor", "--json").stdout)[1]
    assert (finding["name"], finding["well"]) == ("scope", False)


def test_a_file_is_explained_rule_by_rule(home: Path) -> None:
    film = a_dicom_file(home / "film.dcm", PatientAge="004Y", Laterality="L", ViewPosition="LL")
    result = run("scope", "--explain", str(film))
    assert result.exit_code == 0
    assert "laterality_one_side" in result.stdout
    assert "Refused: view_not_frontal" in result.stderr
    rows = {
        row["rule"]: row
        for row in json.loads(run("scope", "--explain", str(film), "--json").stdout)
    }
    assert rows["age"] == {
        "rule": "age",
        "attribute": "Patient Age (0010,1010)",
        "found": "4 y",
        "result": "score",
        "why": "",
    }
    assert rows["view"]["result"] == "refuse"
    assert "Scored, and marked" in run("scope", "--explain", str(FOLDER / "film-01.jpg")).stderr
    assert "if the pixels agree" in run("scope", "--explain", str(FOLDER / "study-01.dcm")).stderr


def test_marks_and_warnings_are_printed(
    home: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.1, study="1.1")
        image.marks = (mark(MarkCode.AGE_UNKNOWN),)
        for patient in ("A", "B"):
            an_image(session, NOW, study="1.2", header=a_header(patient_id=patient))
    printed = run("worklist").stdout
    assert "not valid: age unknown" in printed
    assert printed.count("warning: study of two patients") == 2
    assert "age_unknown" in run("study", "1.1").stdout
    warned = run("study", "1.2").stdout
    assert "study_of_two_patients" in warned
    assert "2.25." in warned
