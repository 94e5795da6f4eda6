"""`readfirst nights`, and what other commands say of the nights."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from db.access.audit import entries
from db.nights.counting import RankingScore, Rescored, count_rescored
from db.nights.running import NewNight, begin_night, close_night, end_night
from db.session import Database
from readfirst.errors import Misconfigured, NotThere
from readfirst.nights.reasons import NightEnd
from tests.support.studies import a_header, a_scored_image, an_ensemble

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)
    return tmp_path / "home"


@pytest.fixture
def night(database: Database) -> None:
    """A night of two hours that left 3,000 images, and one that runs now."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
        an_ensemble(session, "1")
        new = NewNight(day=NOW.date(), planned=True, ensemble_version="1", left=5000)
        past = begin_night(session, new, NOW - 26 * HOUR)
        past.queued = past.scored = 2000
        past.moved_at = NOW - 24 * HOUR
        close_night(past, NightEnd.WINDOW)
        end_night(past, 3000, NOW - 24 * HOUR)
        session.flush()
        again = NewNight(day=NOW.date(), planned=False, ensemble_version="1", left=3000)
        begin_night(session, again, NOW)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("home", "night")
def test_nights_are_printed_with_when_the_ensemble_will_be_through() -> None:
    result = run("nights", "list")
    assert result.exit_code == 0, result.output
    assert "its window was over" in result.stdout
    assert "by hand" in result.stdout
    assert "3,000 images left to score again; at 1,000 an hour it is through at" in result.stderr
    rows = json.loads(run("nights", "list", "--json").stdout)
    assert [row["end_reason"] for row in rows] == [None, "window"]
    assert rows[1]["films_an_hour"] == pytest.approx(1000)
    csv = run("nights", "list", "--csv").stdout
    assert csv.startswith("number,day,ensemble,")
    assert "3,000 images left to score again" in run("models", "list").stderr


@pytest.mark.usefixtures("home", "night")
def test_a_night_is_stopped_once_and_noted(database: Database) -> None:
    assert "The night is stopped." in run("nights", "stop").stderr
    with database.read() as session:
        assert entries(session, limit=1)[0].action == "night_stopped"
    assert isinstance(run("nights", "stop").exception, Misconfigured)
    assert isinstance(run("nights", "list", "--json", "--csv").exception, Misconfigured)


@pytest.mark.usefixtures("home", "night")
def test_what_a_night_changed_is_printed_for_people_and_programs(database: Database) -> None:
    with database.write() as session:
        header = a_header(patient_name="Ruiz^Ana")
        image = a_scored_image(session, NOW, probability=0.85, study="1.7", header=header)
        before, after = RankingScore("0", 0.12, False), RankingScore("1", 0.85, True)
        rescored = {image.study_id: Rescored(before, after, was_read=False)}
        count_rescored(session, rescored, scored=1, failed=0, at=NOW)
    result = run("nights", "show")
    assert "Newly flagged, unread ones first: 1" in result.stdout
    assert "12 % → 85 %" in result.stdout
    assert "1 newly flagged studies are unread now" in result.stderr
    written = json.loads(run("nights", "show", NOW.date().isoformat(), "--json").stdout)
    assert written["report"]["counts"]["newly_flagged"] == 1
    assert [row["study_instance_uid"] for row in written["studies"]] == ["1.7"]
    (heading, row) = run("nights", "show", "--csv").stdout.splitlines()
    assert heading.startswith("change,number,study_instance_uid")
    assert row.startswith("newly_flagged,")


@pytest.mark.usefixtures("home", "night")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["yesterday"], Misconfigured),
        (["2020-01-31"], NotThere),
        (["--json", "--csv"], Misconfigured),
    ],
)
def test_a_night_that_cannot_be_printed_is_explained(
    arguments: list[str], error: type[Exception]
) -> None:
    assert isinstance(run("nights", "show", *arguments).exception, error)
