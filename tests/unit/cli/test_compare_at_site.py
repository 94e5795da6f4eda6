"""`readfirst models compare --site`, and `models shadow` at the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from db.access.audit import entries
from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.errors import Misconfigured
from readfirst.studies.findings import Finding
from tests.support.compared import a_compared_film
from tests.support.studies import an_ensemble


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """That of the command line's home: ensembles 1 and 2 have scored two films with verdicts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path))
    opened = open_database(f"sqlite:///{tmp_path / 'readfirst.db'}")
    upgrade(opened)
    with opened.write() as session:
        a_compared_film(session, 0.4, 0.9, Finding.PNEUMONIA)
        a_compared_film(session, 0.6, 0.1, Finding.NO_PNEUMONIA)
        an_ensemble(session, "3")
    yield opened
    opened.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def test_people_get_tables_and_programs_json(database: Database) -> None:
    text = " ".join(run("compare", "1", "2", "--site").output.split())
    assert "2 films of 2 studies that both have scored" in text
    assert "They agree on 0" in text
    assert "Against readers: 2 studies of 2 patients, 1 with pneumonia" in text
    assert "+1.000" in text
    compared = json.loads(run("compare", "1", "2", "--site", "--json").stdout)
    assert (compared["flags"]["new"], compared["flags"]["withdrawn"]) == (1, 1)
    figures = {row["figure"]: row["difference"]["value"] for row in compared["readers"]["figures"]}
    assert figures["auc"] == 1.0


def test_where_nothing_can_be_compared_it_says_so(database: Database, tmp_path: Path) -> None:
    assert "There is no film that both have scored" in run("compare", "1", "3", "--site").output
    assert isinstance(run("compare", "1", "9", "--site").exception, Misconfigured)
    both = run("compare", "1", "2", "--site", "--data", str(tmp_path))
    assert isinstance(both.exception, Misconfigured)


def test_a_shadow_that_cannot_be_is_refused(database: Database) -> None:
    assert "nor among the shipped" in str(run("shadow", "3").exception)
    assert "does not score in shadow" in str(run("shadow", "3", "--stop").exception)
    with database.read() as session:
        actions = {row.action for row in entries(session, limit=9)}
    assert actions == {"verdict_given"}
