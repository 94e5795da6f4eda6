"""`readfirst sources`, and what is said where a command cannot be understood."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from cli.checks.sources import check_sources
from db.access.audit import AuditAction, entries
from db.pacs.fetches import note_found
from db.pacs.sources import note_answer, source_record
from db.session import Database
from readfirst.errors import Conflict, Misconfigured, NotThere
from readfirst.pacs.fetches import FetchPurpose
from readfirst.pacs.matches import PacsStudy
from readfirst.settings import load_settings
from tests.support.studies import NOW

DIMSE = ("--host", "127.0.0.1", "--port", "104", "--ae-title", "PACS")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def rows() -> list[dict[str, object]]:
    return list(json.loads(run("sources", "list", "--json").stdout))


def test_sources_are_added_changed_and_removed(database: Database) -> None:
    assert run("sources", "add", "archive", *DIMSE).exit_code == 0
    assert isinstance(run("sources", "add", "archive", *DIMSE).exception, Conflict)
    (row,) = rows()
    assert (row["retrieval"], row["ae_title"], row["port"]) == ("c-move", "PACS", 104)
    assert run("sources", "change", "archive", "--by", "c-get", "--port", "11112").exit_code == 0
    (row,) = rows()
    assert (row["retrieval"], row["ae_title"], row["port"]) == ("c-get", "PACS", 11112)
    url = "https://pacs.example/dicom-web"
    assert run("sources", "change", "archive", "--by", "dicomweb", "--url", url).exit_code == 0
    (row,) = rows()
    assert (row["url"], row["host"], row["ae_title"]) == (url, None, None)
    assert "archive" in run("sources", "list").stdout
    assert run("sources", "remove", "archive").exit_code == 0
    assert rows() == []
    assert isinstance(run("sources", "remove", "archive").exception, NotThere)


def test_changes_stand_in_the_audit_log(database: Database) -> None:
    run("sources", "add", "archive", *DIMSE)
    run("sources", "change", "archive", "--poll")
    run("sources", "remove", "archive")
    with database.read() as session:
        rows = {row.action: row.detail for row in entries(session, limit=10)}
    changed = rows[AuditAction.SOURCE_CHANGED]
    assert (changed["source"], changed["polled"]) == ("archive", True)
    assert rows.keys() >= {AuditAction.SOURCE_ADDED, AuditAction.SOURCE_REMOVED}


def test_an_empty_value_takes_one_away(database: Database) -> None:
    assert run("sources", "add", "archive", *DIMSE, "--calling", "ME").exit_code == 0
    assert run("sources", "change", "archive", "--calling", "").exit_code == 0
    assert rows()[0]["calling_ae_title"] is None


def test_the_studies_of_a_source_are_counted_by_state(database: Database) -> None:
    run("sources", "add", "archive", *DIMSE)
    run("sources", "add", "other", *DIMSE)
    with database.write() as session:
        number = source_record(session, "archive").id
        studies = [PacsStudy(study_instance_uid=uid) for uid in ("1.2", "1.3")]
        note_found(session, number, studies, FetchPurpose.POLL, NOW)
    counts = {row["name"]: row["studies"] for row in rows()}
    assert counts == {"archive": {"found": 2}, "other": {}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("archive",), "c-move needs --host, --port, --ae-title."),
        (("a b", *DIMSE), "A name has letters"),
        (("archive", *DIMSE, "--url", "http://x"), "are of DICOMweb"),
        (("archive", *DIMSE, "--calling", "MORE THAN SIXTEEN"), "--calling has 1 to 16"),
        (("archive", *DIMSE, "--host", "http://x"), "--host is an address"),
        (("archive", *DIMSE, "--tls-ca", "ca.pem"), "add --tls"),
        (("archive", *DIMSE, "--tls", "--tls-key", "k.pem"), "are given together"),
        (("archive", "--by", "dicomweb"), "dicomweb needs --url"),
        (("archive", "--by", "dicomweb", "--url", "ftp://x"), "--url is an http://"),
        (("archive", "--by", "dicomweb", "--url", "http://a:b@x"), "--url is an http://"),
        (("archive", "--by", "dicomweb", "--url", "http://x", "--port", "1"), "are of DIMSE"),
    ],
)
def test_a_source_that_cannot_be_is_said_to_be_one(
    arguments: tuple[str, ...], sentence: str
) -> None:
    result = run("sources", "add", *arguments)
    assert isinstance(result.exception, Misconfigured)
    assert sentence in str(result.exception)


def test_a_source_that_fails_is_named_by_the_doctor_until_it_answers(database: Database) -> None:
    assert check_sources(load_settings()).well
    run("sources", "add", "archive", *DIMSE)
    assert check_sources(load_settings()).well
    with database.write() as session:
        number = source_record(session, "archive").id
        assert note_answer(session, number, NOW, "It is off.")
        assert not note_answer(session, number, NOW, "It is off.")
    result = check_sources(load_settings())
    assert result.well
    assert "It is off." in result.warning
    with database.write() as session:
        assert note_answer(session, number, NOW, None)
    assert not check_sources(load_settings()).warning


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Choose one of"),
        (("--left", "--date", "2026-11-03"), "Choose one of"),
        (("--date", "yesterday"), "is not understood"),
        (("--date", "2026-11-03..2026-11-01"), "ends before it begins"),
        (("--study", "1.2.x"), "is no UID"),
        (("--accession-list", "nothing.txt"), "cannot be read"),
        (("--date", "2026-11-03"), "There is no source"),
    ],
)
def test_what_to_fetch_must_be_clear(
    arguments: tuple[str, ...], sentence: str, database: Database
) -> None:
    result = run("fetch", *arguments)
    assert isinstance(result.exception, Misconfigured)
    assert sentence in str(result.exception)


@pytest.mark.parametrize("line", ["A*", "A?1", "A\\B", "A" * 65])
def test_an_accession_number_is_no_pattern(line: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"A-1\n{line}\n")
    result = run("fetch", "--accession-list", "list.txt")
    assert "line 2" in str(result.exception)


def test_several_sources_have_to_be_told_apart(database: Database) -> None:
    for name in ("one", "two"):
        run("sources", "add", name, *DIMSE)
    result = run("fetch", "--date", "2026-11-03")
    assert "choose by --source (one, two)" in str(result.exception)
