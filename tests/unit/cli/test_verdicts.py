"""`readfirst verdict` and `readfirst verdicts`."""

import csv
import io
import json
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from db.access.audit import entries
from db.lifecycle.verdicts import VerdictInput
from db.migrate import upgrade
from db.session import Database, open_database
from tests.support.studies import NOW, a_scored_image, give_verdict


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """That of the command line's home, with two studies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path))
    opened = open_database(f"sqlite:///{tmp_path / 'readfirst.db'}")
    upgrade(opened)
    with opened.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        a_scored_image(session, NOW, probability=0.1, study="1.2")
    yield opened
    opened.dispose()


def run(*arguments: str, expected: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == expected, result.output
    return result.stdout


def uids(*arguments: str) -> list[str]:
    rows = json.loads(run("worklist", "--json", *arguments))
    return [row["study_instance_uid"] for row in rows]


def test_a_verdict_takes_a_study_off_the_worklist_and_back(database: Database) -> None:
    assert uids() == ["1.1", "1.2"]
    run("verdict", "1.1", "no-pneumonia", "--comment", "Thymus.")
    assert uids() == ["1.2"]
    assert uids("--read") == ["1.1"]
    assert uids("--all") == ["1.1", "1.2"]
    run("verdict", "1.1", "unread")
    assert uids() == ["1.1", "1.2"]


def test_verdicts_are_listed_for_people_and_programs(database: Database) -> None:
    run("verdict", "1.1", "no-pneumonia", "--comment", "Thymus.")
    run("verdict", "1.2", "read")
    latest, first = json.loads(run("verdicts", "--json"))
    assert (first["by"], first["agreement"]) == (getuser(), "false_positive")
    assert (latest["finding"], latest["agreement"]) == (None, None)
    table = run("verdicts")
    assert "AI false positive" in table
    assert "marked as read" in table
    rows = list(csv.DictReader(io.StringIO(run("verdicts", "--csv", "--study", "1.1"))))
    assert [row["comment"] for row in rows] == ["Thymus."]
    assert "Thymus." in run("study", "1.1")


def test_the_audit_log_says_who_gave_it_at_the_command_line(database: Database) -> None:
    run("verdict", "1.1", "cannot-tell")
    with database.read() as session:
        (entry,) = entries(session, limit=9)
    assert (entry.account, entry.address) == (None, None)
    assert entry.detail == {"finding": "cannot_tell", "by": getuser()}


def test_what_is_no_verdict_is_said(database: Database) -> None:
    run("verdict", "9.9", "pneumonia", expected=1)
    run("verdict", "1.1", "cancer", expected=2)
    assert json.loads(run("verdicts", "--json")) == []


@pytest.mark.parametrize(
    "command",
    [
        ("verdicts",),
        ("verdicts", "--csv"),
        ("verdicts", "--json"),
        ("study", "1.1"),
        ("study", "1.1", "--json"),
    ],
)
def test_no_comment_steers_the_terminal(database: Database, command: tuple[str, ...]) -> None:
    steering = "\x1b]0;owned\x07\x1b[2Jgone\x9b31m\u202e"
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(comment=f"Thymus{steering}"))
    out = run(*command)
    assert "Thymus" in out
    assert not set(steering) - set("]0;owned[2Jgone31m") & set(out)
