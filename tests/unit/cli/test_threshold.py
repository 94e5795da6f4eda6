"""`readfirst models threshold`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from db.access.audit import entries
from db.lifecycle.verdicts import VerdictInput
from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.studies.findings import Finding
from tests.support.studies import NOW, a_scored_image, an_ensemble, give_verdict


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """That of the command line's home; a missed pneumonia, and two unread studies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path))
    opened = open_database(f"sqlite:///{tmp_path / 'readfirst.db'}")
    upgrade(opened)
    with opened.write() as session:
        a_scored_image(session, NOW, probability=0.4, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA))
        a_scored_image(session, NOW, probability=0.45, study="1.2")
        a_scored_image(session, NOW, probability=0.1, study="1.3")
        an_ensemble(session, "2", threshold=0.7)
    yield opened
    opened.dispose()


def run(*arguments: str, expected: int = 0) -> str:
    result = CliRunner().invoke(app, ["models", "threshold", *arguments])
    assert result.exit_code == expected, result.output
    return result.output


def versions(*arguments: str) -> list[tuple[int, float, bool]]:
    rows = json.loads(run("--json", *arguments))
    return [(row["version"], row["value"], row["active"]) for row in rows]


def worklist() -> dict[str, bool]:
    result = CliRunner().invoke(app, ["worklist", "--all", "--json"])
    return {row["study_instance_uid"]: row["flagged"] for row in json.loads(result.stdout)}


def test_a_dry_run_says_what_would_change_and_changes_nothing(database: Database) -> None:
    text = " ".join(run("--value", "0.3", "--dry-run").split())
    assert "threshold 0.5000 (version 1) -> 0.3000" in text
    assert "1 of 1 missed pneumonias would be flagged (100.0 %" in text
    assert "1 would be flagged and rise, and 0 would lose their flag" in text
    assert "Nothing was changed." in text
    assert versions() == [(1, 0.5, True)]
    report = json.loads(
        CliRunner()
        .invoke(app, ["models", "threshold", "--value", "0.3", "--dry-run", "--json"])
        .stdout
    )
    assert report["verdicts"]["missed_then_flagged"]["hits"] == 1
    assert worklist() == {"1.1": False, "1.2": False, "1.3": False}


def test_a_change_ranks_at_once_is_noted_and_goes_back(database: Database) -> None:
    text = run("--value", "0.3")
    assert "Threshold 2 of ensemble 1 is active: 0.3000." in text
    assert "2 unread studies rank by it now." in text
    assert worklist() == {"1.1": False, "1.2": True, "1.3": False}
    assert "ensemble's own" in run()
    assert "-> 0.3" not in run("--roll-back")
    assert versions() == [(2, 0.3, False), (1, 0.5, True)]
    assert worklist() == {"1.1": False, "1.2": False, "1.3": False}
    with database.read() as session:
        actions = [entry.action for entry in entries(session, limit=9)]
    assert actions[:2] == ["threshold_rolled_back", "threshold_changed"]


def test_another_ensemble_has_thresholds_of_its_own(database: Database) -> None:
    run("2", "--value", "0.2")
    assert versions("2") == [(2, 0.2, True), (1, 0.7, False)]
    assert versions() == [(1, 0.5, True)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["9"], "is not known here"),
        (["--value", "0.3", "--sensitivity", "0.9"], "Name one of"),
        (["--dry-run"], "wants a threshold to try"),
        (["--value", "1"], "between 0 and 1"),
        (["--value", "0.5"], "is that already"),
        (["--sensitivity", "0.9"], "brings no reference"),
        (["--sensitivity", "0.9", "--on", "verdicts"], "too few to choose from"),
        (["--roll-back"], "none to go back to"),
    ],
)
def test_what_cannot_be_says_why(database: Database, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["models", "threshold", *arguments])
    assert result.exit_code != 0
    assert message in str(result.exception)
    assert versions() == [(1, 0.5, True)]
