"""`readfirst destinations`: where results go by themselves."""

import json
import re
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from cli.checks.destinations import check_results
from db.access.audit import entries
from db.destinations.queries import find_destination
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.sending.claims import claim_due
from db.lifecycle.sending.outcomes import GIVE_UP_AFTER, not_sent, sent
from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.destinations.forms import Form
from readfirst.destinations.states import SendingState
from readfirst.errors import Misconfigured, NotThere, ReadFirstError
from readfirst.settings import load_settings
from results.destinations.kinds import KINDS
from tests.support.studies import LEASE, NOW, a_scored_image

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "destinations.md"
PACS = ("--set", "host=pacs.example", "--set", "port=104", "--set", "ae_title=PACS")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """That of the command line's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path))
    opened = open_database(f"sqlite:///{tmp_path / 'readfirst.db'}")
    upgrade(opened)
    yield opened
    opened.dispose()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["destinations", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def fault(*arguments: str) -> ReadFirstError:
    result = CliRunner().invoke(app, ["destinations", *arguments])
    assert isinstance(result.exception, ReadFirstError), result.output
    return result.exception


def a_dead_letter(database: Database) -> int:
    """The number of a result for `pacs` that was given up."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        due = claim_due(session, NOW, LEASE, 1)
        assert due is not None
        late, policy = NOW + GIVE_UP_AFTER, LeasePolicy(lease=LEASE.lease)
        not_sent(session, due.results[0], "no answer", late, policy, answered=False)
        return due.results[0].lease.row_id


def test_without_a_destination_it_says_that_nothing_is_sent(database: Database) -> None:
    assert "There is no destination: nothing is sent." in run("list")
    assert json.loads(run("list", "--json")) == []


def test_a_destination_is_added_listed_changed_and_removed(database: Database) -> None:
    text = run("add", "pacs", "--kind", "dicom", *PACS)
    assert 'Destination "pacs" gets sr, kos of flagged studies.' in text
    (row,) = json.loads(run("list", "--json"))
    assert row["address"] == {"host": "pacs.example", "port": 104, "ae_title": "PACS"}
    assert (row["forms"], row["studies"], row["changed_by"]) == (
        ["sr", "kos"],
        "flagged",
        getuser(),
    )
    run("change", "pacs", "--set", "tls=yes", "--form", "sr,verdict", "--studies", "all")
    text = run("list")
    assert "tls=True" in text
    assert "sr,verdict" in text
    run("change", "pacs", "--unset", "tls")
    with database.read() as session:
        assert "tls" not in find_destination(session, "pacs").address
        assert find_destination(session, "pacs").forms == (Form.SR, Form.VERDICT)
    assert "once it is enabled" in run("disable", "pacs")
    assert "disabled" in run("list")
    run("enable", "pacs")
    run("remove", "pacs")
    assert json.loads(run("list", "--json")) == []
    with database.read() as session:
        noted = [entry.action for entry in entries(session, limit=9)]
    assert noted == [
        "destination_removed",
        "destination_enabled",
        "destination_disabled",
        "destination_changed",
        "destination_changed",
        "destination_added",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "pacs", "--kind", "fax"), "There is no kind 'fax' of destinations; dicom, "),
        (("add", "a b", "--kind", "dicom", *PACS), "'a b' is no name of a destination"),
        (("add", "pacs", "--kind", "dicom"), "host is missing: Name or address"),
        (("add", "pacs", "--kind", "dicom", *PACS, "--set", "port=0"), "port: Input should be"),
        (
            ("add", "pacs", "--kind", "dicom", *PACS, "--set", "ae_title=" + "A" * 17),
            "ae_title must be 1 to 16 ASCII characters",
        ),
        (("add", "pacs", "--kind", "dicom", *PACS, "--set", "password=s"), "password is no part"),
        (("add", "pacs", "--kind", "dicom", *PACS, "--set", "port"), "Write FIELD=VALUE."),
        (("add", "pacs", "--kind", "dicom", *PACS, "--form", "pdf"), "--form 'pdf' is not"),
        (("add", "pacs", "--kind", "folder", "--set", "path=srv"), "must be an absolute path"),
        (
            ("add", "pacs", "--kind", "stow", "--set", "url=https://u:p@host/dicom-web"),
            "url: must be an http:// or https:// address without a user's name.",
        ),
        (("change", "pacs"), "Say what is to change"),
        (
            ("add", "pacs", "--kind", "dicom", *PACS, "--only", "patient_name=A*"),
            "No rule goes by patient_name. It may go by institution_name, ",
        ),
        (("add", "pacs", "--kind", "dicom", *PACS, "--only", "institution_name="), "--only"),
    ],
)
def test_what_is_wrong_is_said(database: Database, arguments: tuple[str, ...], words: str) -> None:
    error = fault(*arguments)
    assert isinstance(error, Misconfigured)
    assert words in str(error)
    assert "u:p" not in str(error)


def test_a_rule_is_given_changed_and_taken_away(database: Database) -> None:
    rule = ("--only", "institution_name=North*", "--only", "institution_name=East*")
    run("add", "pacs", "--kind", "dicom", *PACS, *rule)
    assert "institution_name=North*|East*" in run("list")
    run("change", "pacs", "--studies", "all")
    with database.read() as session:
        assert find_destination(session, "pacs").rule == {"institution_name": ["North*", "East*"]}
    run("change", "pacs", "--of-every")
    with database.read() as session:
        assert find_destination(session, "pacs").rule == {}


def test_a_name_is_taken_once_and_nobody_elses_is_guessed(database: Database) -> None:
    run("add", "pacs", "--kind", "dicom", *PACS)
    assert "already" in str(fault("add", "pacs", "--kind", "dicom", *PACS))
    for command in ("change", "remove", "enable", "disable", "test", "send-again"):
        more = ("--studies", "all") if command == "change" else ()
        assert isinstance(fault(command, "other", *more), NotThere)


def test_a_folder_is_tried(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    run("add", "share", "--kind", "folder", "--set", f"path={folder}")
    assert f"The folder {folder} is not there." in str(fault("test", "share"))
    folder.mkdir()
    assert f"A file can be written into {folder}." in run("test", "share")
    assert list(folder.iterdir()) == []
    with database.read() as session:
        assert entries(session, limit=1)[0].action == "destination_tested"


def test_what_was_given_up_is_listed_and_sent_again(database: Database) -> None:
    run("add", "pacs", "--kind", "dicom", *PACS, "--form", "sr")
    number = a_dead_letter(database)
    (row,) = json.loads(run("waiting", "pacs", "--json"))
    assert (row["state"], row["reason"], row["number"]) == ("given_up", "no answer", number)
    assert "no answer" in run("waiting")
    assert "pacs: 1 given up." in run("list")
    assert "Sent again within seconds: 1." in run("send-again", "pacs")
    (row,) = json.loads(run("waiting", "--json"))
    assert row["state"] == "waiting"
    assert "Nothing was given up." in run("send-again", "pacs")
    assert isinstance(fault("send-again", "pacs", str(number)), NotThere)
    assert "2 results wait" not in str(fault("remove", "pacs"))
    run("remove", "pacs", "--drop")


def test_what_was_sent_is_sent_again_by_its_number(database: Database) -> None:
    run("add", "pacs", "--kind", "dicom", *PACS, "--form", "sr")
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
        due = claim_due(session, NOW, LEASE, 1)
        assert due is not None
        sent(session, due.results[0], ["1.9"], NOW)
    assert json.loads(run("waiting", "--json")) == []
    (row,) = json.loads(run("waiting", "--all", "--json"))
    assert row["state"] == "sent"
    assert "Nothing was given up." in run("send-again", "pacs")
    assert "Sent again within seconds: 1." in run("send-again", "pacs", str(row["number"]))


def test_the_doctor_tells_what_was_given_up_and_who_does_not_answer(database: Database) -> None:
    assert check_results(load_settings()).found == "no destination: none leaves by itself"
    run("add", "pacs", "--kind", "dicom", *PACS, "--form", "sr,kos")
    assert check_results(load_settings()).found == "go to pacs"
    a_dead_letter(database)
    with database.write() as session:
        due = claim_due(session, NOW, LEASE, 1)
        assert due is not None
        policy = LeasePolicy(lease=LEASE.lease)
        not_sent(session, due.results[0], "Nothing answers.", NOW, policy, answered=False)
    result = check_results(load_settings())
    assert not result.well
    assert "pacs: 1 results were given up; pacs: 1 wait since" in result.found
    assert "(Nothing answers.)" in result.found
    assert "readfirst destinations send-again" in result.advice
    run("disable", "pacs")
    assert check_results(load_settings()).well


def test_the_parts_of_addresses_stand_in_the_documents_as_the_command_says_them(
    database: Database,
) -> None:
    text = re.sub(r"\s+", " ", REFERENCE.read_text())
    rows = json.loads(run("kinds", "--json"))
    assert {row["kind"] for row in rows} == set(KINDS)
    for row in rows:
        assert f"| `{row['field']}` |" in text, row
        assert row["description"] in text, row
    for form in Form:
        assert f"| `{form.value}` |" in text
    for state in SendingState:
        assert f"| `{state.value}` |" in text
    assert "host" in run("kinds")
