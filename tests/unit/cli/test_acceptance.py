"""`readfirst acceptance`: the report, its files, and the signature."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from cli.checks.ensembles import check_accepted
from db.access.audit import entries
from db.ensembles.versions import EnsembleFacts, register
from db.lifecycle.verdicts import VerdictInput
from db.migrate import upgrade
from db.session import Database, open_database
from models.manifest import available_ensembles, load_manifest, shipped_version
from readfirst.settings import load_settings
from readfirst.studies.findings import Finding
from tests.support.people import PASSWORD, add_people
from tests.support.studies import NOW, a_header, a_ready_image, give_verdict, score_ready
from worker.scoring.ensemble_registry import facts


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """That of the command line's home: six read studies, scored by the shipped ensemble."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path))
    opened = open_database(f"sqlite:///{tmp_path / 'readfirst.db'}")
    upgrade(opened)
    version = shipped_version()
    manifest = load_manifest(available_ensembles(tmp_path)[version])
    with opened.write() as session:
        known: EnsembleFacts = facts(manifest)
        register(session, known, NOW)
        for number, probability in enumerate((0.97, 0.95, 0.3, 0.2, 0.1, 0.05)):
            header = a_header(accession_number=f"A{number}", patient_name="Doe^Jane")
            image = a_ready_image(session, NOW, study=f"1.{number}", header=header)
            score_ready(session, NOW, {image.id: probability}, version=version)
            sick = number < 3
            finding = Finding.PNEUMONIA if sick else Finding.NO_PNEUMONIA
            give_verdict(session, f"1.{number}", VerdictInput(finding=finding))
    add_people(opened, datetime.now(UTC))
    yield opened
    opened.dispose()


def run(*arguments: str, input: str = "", expected: int = 0) -> str:
    result = CliRunner().invoke(app, ["acceptance", *arguments], input=input)
    assert result.exit_code == expected, (result.output, result.exception)
    return result.output


class Tags(HTMLParser):
    """The tags of a document, and the addresses that they name."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: set[str | None] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses |= {value for name, value in attrs if name in ("src", "href")}


def test_a_report_of_verdicts_is_written_signed_and_written_again(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    text = run("--output", str(path))
    assert "Sensitivity" in text
    assert "READFIRST_PREVALENCE=0.500" in text
    page = path.read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.addresses == set(), "it needs nothing from elsewhere"
    assert "script" not in tags.names
    assert "Not signed." in page
    assert "Doe" not in page
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["report"]["whole"]["sick"] == 3
    assert "Doe" not in json.dumps(record)
    settings = load_settings()
    assert "No lead has accepted" in check_accepted(settings).warning
    assert "signed by lead" in run("--sign", "1", "--account", "lead", input=f"{PASSWORD}\n")
    assert check_accepted(settings).warning == ""
    run("--show", "1", "--output", str(path))
    assert "Accepted by lead" in path.read_text()
    (row,) = json.loads(run("--list", "--json"))
    assert row["signed_by"] == "lead"
    with database.read() as session:
        (line,) = (e for e in entries(session, limit=9) if e.action == "acceptance_signed")
    assert line.account == "lead"


def test_another_threshold_is_listed_and_not_held_against_the_promise(database: Database) -> None:
    CliRunner().invoke(app, ["models", "threshold", "--value", "0.25"])
    rows = json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).stdout)
    (row,) = (row for row in rows if row["version"] == shipped_version())
    assert row["active_threshold"] == 0.25
    assert row["threshold"] > 0.25, "the manifest is as it was"
    record = json.loads(run("--json").partition("Report")[0])
    assert (record["threshold_version"], record["report"]["threshold"]) == (2, 0.25)
    outcomes = {each["figure"]: each["outcome"] for each in record["report"]["compared"]}
    assert outcomes["sensitivity"] == "not_comparable"


def test_labels_come_from_a_table(database: Database, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("accession_number,label\nA0,yes\nA1,Yes\nA2,no\nA3,no\nA4,no\nA5,0\nB1,yes\n")
    record = json.loads(run("--labels", str(table), "--json").partition("Report")[0])
    assert record["report"]["whole"]["sick"] == 2
    assert "1 labels are of no study here" in record["report"]["labels"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uid,label\n1,yes\n", "needs a first line"),
        ("accession_number,label\nA1,perhaps\n", "line 2: the label is neither yes nor no"),
        ("accession_number,label\n,yes\n", "line 2: it names no study"),
    ],
)
def test_a_wrong_table_is_refused_by_its_line(
    database: Database, tmp_path: Path, text: str, message: str
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    result = CliRunner().invoke(app, ["acceptance", "--labels", str(table)])
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        (["--sign", "1"], "", "Name who signs"),
        (["--sign", "1", "--account", "reader"], PASSWORD, "is no lead"),
        (["--sign", "1", "--account", "lead"], "wrong", "password is wrong"),
        (["--sign", "1", "--account", "ghost"], PASSWORD, "no account ghost"),
        (["--sign", "7", "--account", "lead"], PASSWORD, "no acceptance report 7"),
        (["--show", "7"], "", "no acceptance report 7"),
        (["--ensemble", "9"], "", "not on this machine"),
    ],
)
def test_nobody_else_signs(
    database: Database, arguments: list[str], password: str, message: str
) -> None:
    run()
    result = CliRunner().invoke(app, ["acceptance", *arguments], input=f"{password}\n")
    assert message in str(result.exception)
    assert "No lead has accepted" in check_accepted(load_settings()).warning
