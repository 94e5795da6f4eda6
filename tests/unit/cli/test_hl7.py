"""`readfirst hl7`: messages that could not be read, for people and programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from db.migrate import upgrade
from db.ris.messages import kept_messages
from db.session import Database, open_database
from readfirst.errors import Misconfigured, NotThere
from readfirst.settings import load_settings
from tests.support.hl7 import a_patient_message, an_order_message, services
from worker.ris.take_message import take_message

run = CliRunner().invoke


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """The number of a message that names no accession number."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_LOG_LEVEL", "warning")
    (tmp_path / "home").mkdir()
    database = the_database()
    upgrade(database)
    take_message(services(database), an_order_message(accession=""))
    with database.read() as session:
        (message,) = kept_messages(session, limit=2)
    database.dispose()
    return message.number


def the_database() -> Database:
    return open_database(load_settings().database)


def test_messages_are_listed_without_what_they_say(kept: int) -> None:
    (row,) = json.loads(run(app, ["hl7", "list", "--json"]).stdout)
    assert (row["number"], row["code"]) == (kept, "no_accession_number")
    assert (row["sender"], row["message_type"], row["control_id"]) == ("RIS^HOSP", "ORM^O01", "C1")
    table = run(app, ["hl7", "list"], env={"COLUMNS": "300"}).stdout
    assert "The message names no accession number." in table
    assert "Ejemplo" not in table


def test_a_message_is_printed_as_it_came(kept: int) -> None:
    printed = run(app, ["hl7", "print", str(kept)]).stdout
    assert printed.splitlines()[1].startswith("PID|1||P1^^^HOSP")
    assert isinstance(run(app, ["hl7", "print", "99"]).exception, NotThere)


def test_a_message_is_taken_once_the_setting_is_right(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = run(app, ["hl7", "retry", str(kept)], env={"COLUMNS": "300"})
    assert "The message names no accession number." in still.stdout
    monkeypatch.setenv("READFIRST_HL7_ACCESSION", "filler")
    taken = run(app, ["hl7", "retry", "--all"])
    assert "1 of 1 taken." in taken.output
    assert json.loads(run(app, ["hl7", "list", "--json"]).stdout) == []


@pytest.mark.parametrize("arguments", [[], ["1", "--all"]])
@pytest.mark.usefixtures("kept")
def test_a_retry_says_of_what(arguments: list[str]) -> None:
    assert isinstance(run(app, ["hl7", "retry", *arguments]).exception, Misconfigured)


def test_a_message_that_nobody_misses_is_removed(kept: int) -> None:
    assert run(app, ["hl7", "drop", str(kept)]).exit_code == 0
    assert isinstance(run(app, ["hl7", "drop", str(kept)]).exception, NotThere)
    assert json.loads(run(app, ["hl7", "list", "--json"]).stdout) == []


@pytest.mark.usefixtures("kept")
def test_merges_are_listed_and_undone() -> None:
    database = the_database()
    take_message(services(database), a_patient_message("A40", "MRG|P9^^^HOSP"))
    database.dispose()
    (row,) = json.loads(run(app, ["hl7", "merges", "--json"]).stdout)
    assert row["merge"] == {
        "surviving": {"value": "P1", "issuer": "HOSP"},
        "merged": {"value": "P9", "issuer": "HOSP"},
    }
    assert "P9 @ HOSP" in run(app, ["hl7", "merges"], env={"COLUMNS": "300"}).stdout
    assert run(app, ["hl7", "undo-merge", str(row["number"])]).exit_code == 0
    again = run(app, ["hl7", "undo-merge", str(row["number"])])
    assert isinstance(again.exception, NotThere)
    (row,) = json.loads(run(app, ["hl7", "merges", "--json"]).stdout)
    assert row["undone_by"]
