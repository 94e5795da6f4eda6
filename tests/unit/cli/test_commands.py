import csv
import io
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app
from db.inbox.inbox_issues import replace_inbox_issues
from db.session import Database
from readfirst import DISCLAIMER, __version__
from readfirst.errors import Misconfigured, Refused
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.support.filled_databases import FilledOnce
from tests.support.studies import a_header, a_scored_image, an_image

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)
    return tmp_path / "home"


def _add_studies(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        named = a_header(patient_name="Díaz^Lucía")
        a_scored_image(session, NOW, probability=0.97, study="1.2", header=named)
        an_image(session, NOW, study="1.3", refusal=Refused(RefusalCode.TRUNCATED))


_studies = FilledOnce(_add_studies)


@pytest.fixture
def studies(database: Database) -> None:
    _studies.into(database)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("home", "studies")
def test_the_worklist_is_printed_in_reading_order() -> None:
    result = run("worklist")
    assert result.exit_code == 0
    places = [
        result.stdout.index(name) for name in ("Díaz, Lucía", "10 %", "not scored: truncated")
    ]
    assert all(len(line.rstrip()) <= 80 for line in result.stdout.splitlines())
    assert places == sorted(places)


@pytest.mark.usefixtures("home", "studies")
def test_the_worklist_as_json_has_the_filters() -> None:
    rows = json.loads(run("worklist", "--json", "--limit", "2").stdout)
    assert [row["study_instance_uid"] for row in rows] == ["1.2", "1.1"]
    assert rows[0]["standing"] == "flagged"
    assert len(json.loads(run("worklist", "--json", "--flagged").stdout)) == 1
    assert len(json.loads(run("worklist", "--json", "--since", "1h").stdout)) == 3
    assert json.loads(run("worklist", "--json", "--since", "2199-01-01").stdout) == []
    assert json.loads(run("worklist", "--json", "--until", "1h").stdout) == []
    assert len(json.loads(run("worklist", "--json", "--until", "2199-01-01").stdout)) == 3
    refused = json.loads(run("worklist", "--json", "--refused").stdout)
    assert all("refused" in [image["state"] for image in row["images"]] for row in refused)
    assert len(refused) < 3
    assert json.loads(run("worklist", "--json", "--institution", "Elsewhere").stdout) == []
    lowest = json.loads(run("worklist", "--json", "--sort", "probability", "--reverse").stdout)
    assert [row["study_instance_uid"] for row in lowest] == ["1.3", "1.1", "1.2"]


@pytest.mark.usefixtures("home", "studies")
def test_a_study_is_printed_with_its_history() -> None:
    detail = json.loads(run("study", "1.2", "--json").stdout)
    assert detail["scores"][0]["probability"] == 0.97
    assert "received" in run("study", "1.2").stdout
    assert run("study", "9.9").exit_code == 1


@pytest.mark.usefixtures("home")
def test_one_study_is_stated_as_in_the_worklist(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        a_scored_image(session, NOW - timedelta(hours=30), probability=0.1, study="1.1")
    monkeypatch.setenv("READFIRST_PREVALENCE", "0.1")
    monkeypatch.setenv("READFIRST_MAX_WAIT_HOURS", "24")
    (row,) = json.loads(run("worklist", "--json").stdout)
    assert row["why"].startswith("Waiting over 24 h: cannot be overtaken.")
    assert json.loads(run("study", "1.1", "--json").stdout)["study"] == row
    monkeypatch.setenv("COLUMNS", "200")
    assert "Waiting over 24 h" in run("study", "1.1").stdout


@pytest.mark.usefixtures("home", "studies")
def test_refusals_are_printed_with_the_place_of_the_original(home: Path) -> None:
    (row,) = json.loads(run("refused", "--json").stdout)
    assert row["code"] == "truncated"
    assert row["original"].startswith(str(home / "store"))
    assert "ends before its image does" in run("refused").stdout


@pytest.mark.usefixtures("home")
def test_a_wrong_since_is_explained() -> None:
    result = run("worklist", "--since", "yesterday")
    assert isinstance(result.exception, Misconfigured)
    assert "Write `30m`, `2h` or `3d`" in str(result.exception)


@pytest.mark.usefixtures("home", "studies")
@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("worklist", ["--since", "٣d"]),
        ("worklist", ["--since", "1_0d"]),
        ("worklist", ["--since", "2026-W05-3"]),
        ("watching", ["--from", "2026-W05-3"]),
        ("watching", ["--to", "2026-031"]),
        ("worklist", ["--since", "999999d"]),
        ("worklist", ["--since", "9" * 40 + "h"]),
        ("worklist", ["--until", "0001-01-01"]),
        ("worklist", ["--since", "9999-12-31"]),
        ("verdicts", ["--since", "999999d"]),
        ("refused", ["--since", "999999d"]),
        ("retry", ["--all", "--since", "999999d"]),
        ("rescore", ["--since", "999999d"]),
        ("audit", ["--since", "999999d"]),
        ("watching", ["--to", "9999-12-31"]),
        ("watching", ["--to", "0001-01-01"]),
        ("watching", ["--from", "9999-12-31"]),
    ],
)
def test_a_time_that_no_calendar_holds_is_a_wrong_command(command: str, options: list[str]) -> None:
    result = run(command, *options)
    assert isinstance(result.exception, Misconfigured), result.output
    assert any(option in str(result.exception) for option in options)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["worklist", "verdicts", "refused", "audit", "inbox"])
def test_more_rows_than_a_database_counts_are_a_wrong_command(command: str) -> None:
    assert run(command, "--limit", str(2**64)).exit_code == 2


def test_files_are_scored_in_the_order_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    bad = tmp_path / "notes.dcm"
    bad.write_text("not a film " * 99)
    paths = [str(FOLDER / "study-02.dcm"), str(bad), str(FOLDER / "film-01.jpg")]
    result = run("score", *paths, "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["path"] for row in rows] == paths
    assert [row["status"] for row in rows] == ["scored", "refused", "scored"]
    assert set(rows[0]) == {
        "path", "status", "code", "reason", "probability", "flagged", "threshold", "ensemble",
        "population", "members", "spread", "unlike", "marks",
    }  # fmt: skip
    assert rows[1]["code"] == "not_an_image"
    assert rows[1]["probability"] is None
    members = rows[0]["members"].values()
    assert len(members) >= 2
    assert rows[0]["spread"] == pytest.approx(max(members) - min(members))
    assert rows[0]["flagged"] == (rows[0]["probability"] >= rows[0]["threshold"])

    table = list(csv.DictReader(io.StringIO(run("score", *paths, "--csv").stdout)))
    assert [row["status"] for row in table] == ["scored", "refused", "scored"]
    assert float(table[0]["probability"]) == pytest.approx(rows[0]["probability"], abs=1e-4)
    assert not (tmp_path / "home").exists(), "scoring files keeps nothing"


def test_a_path_that_is_not_there_is_a_wrong_command(tmp_path: Path) -> None:
    assert run("score", str(tmp_path / "gone.dcm")).exit_code == 2


@pytest.mark.usefixtures("home")
def test_the_doctor_says_what_to_do() -> None:
    result = run("doctor")
    assert result.exit_code == 1
    assert "readfirst up" in result.stdout
    findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
    assert findings["weights"]["well"]
    assert not findings["broker"]["well"]
    assert not findings["database"]["well"]


@pytest.mark.usefixtures("home")
def test_the_doctor_says_that_intake_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_MIN_FREE_MEGABYTES", str(10**9))
    findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
    assert not findings["disk"]["well"]
    assert "Intake paused" in findings["disk"]["advice"]


def test_the_doctor_looks_after_the_listener(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def listener() -> Any:
        findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
        return findings["listener"]

    assert listener()["well"], "it is off"
    monkeypatch.setenv("READFIRST_RECEIVE", "true")
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        monkeypatch.setenv("READFIRST_RECEIVE_PORT", str(somebody.getsockname()[1]))
        assert listener()["well"]
    assert "readfirst receive" in listener()["advice"]
    monkeypatch.setenv("READFIRST_RECEIVE_HOST", "0.0.0.0")
    assert "READFIRST_RECEIVE_CALLING" in listener()["found"]


def test_the_doctor_looks_after_the_hl7_listener(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def listener() -> Any:
        findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
        return findings["hl7"]

    assert listener()["well"], "it is off"
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        monkeypatch.setenv("READFIRST_HL7_PORT", str(somebody.getsockname()[1]))
        assert listener()["well"]
    assert not listener()["well"]
    assert "readfirst mllp" in listener()["advice"]
    monkeypatch.setenv("READFIRST_HL7_HOST", "0.0.0.0")
    assert "READFIRST_HL7_PEERS" in listener()["found"]
    assert isinstance(run("mllp").exception, Misconfigured)


def test_a_listener_for_everybody_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_LOG_LEVEL", "warning")
    monkeypatch.setenv("READFIRST_RECEIVE_HOST", "0.0.0.0")
    assert isinstance(run("receive").exception, Misconfigured)


@pytest.mark.usefixtures("home", "studies")
def test_the_doctor_finds_a_database_in_order() -> None:
    findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
    assert findings["database"]["well"]


def test_the_doctor_names_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    url = "postgresql+psycopg://readfirst:hush@127.0.0.1:1/readfirst"
    monkeypatch.setenv("READFIRST_DATABASE_URL", url)
    result = run("doctor")
    assert "does not answer" in result.stdout
    assert "hush" not in result.output


@pytest.mark.usefixtures("home")
def test_ensembles_are_listed_and_promoted() -> None:
    def states() -> dict[str, str]:
        listed = json.loads(run("models", "list", "--json").stdout)
        return {each["version"]: each["state"] for each in listed}

    assert {"2.0", "3.0"} <= states().keys(), "an earlier one stays, for sites that have it active"
    assert run("models", "promote", "2.0").exit_code == 0
    assert isinstance(run("models", "promote", "9.9").exception, Misconfigured)
    assert isinstance(run("models", "rollback").exception, Misconfigured)
    assert isinstance(run("models", "retire", "2.0").exception, Misconfigured)
    assert states()["2.0"] == "active"
    assert run("models", "promote", "3.0").exit_code == 0
    assert (states()["2.0"], states()["3.0"]) == ("retired", "active")
    assert run("models", "rollback").exit_code == 0
    assert states()["2.0"] == "active"


def test_help_and_version_say_what_this_is() -> None:
    assert DISCLAIMER in " ".join(run("--help").stdout.split())
    assert __version__ in run("--version").stdout
    assert run("no-such-command").exit_code == 2


@pytest.mark.usefixtures("home")
def test_the_inbox_shows_what_is_left_and_set_aside_whatever_it_is_called(
    database: Database,
) -> None:
    odd = InboxIssue(InboxIssueCode.LINK, "[/ward] [red]film.dcm")
    with database.write() as session:
        replace_inbox_issues(session, {odd}, NOW)
    text = run("inbox").stdout
    assert "[/ward] [red]film.dcm" in text
    assert "Links are never followed" in text
    (left,) = json.loads(run("inbox", "--json").stdout)["left"]
    assert left["code"] == "link"
    findings = {row["name"]: row for row in json.loads(run("doctor", "--json").stdout)}
    assert not findings["intake"]["well"]
