"""`refused`, `retry` and `original` as people and programs call them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from cli.models.explain import file_of
from db.session import Database
from ingest.inbox.claim import claim
from ingest.reader.reader_process import Reader
from readfirst.errors import Misconfigured, NotThere, Refused, Unavailable
from readfirst.refusals import RefusalCode
from readfirst.settings import load_settings
from readfirst.testing import RecordingNotifier
from tests.support.files import a_dicom_file, a_gradient
from tests.support.workers import Worker
from worker.composition import open_use_cases
from worker.intake.take_in import take_in
from worker.scoring.ensemble_registry import EnsembleRegistry


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def home(
    tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The home of the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)
    return tmp_path / "home"


@pytest.fixture
def three_files(home: Path, tmp_path: Path, database: Database, reader: Reader) -> None:
    """A lateral film, a text and half a film have come in."""
    settings = load_settings()
    inbox = settings.inbox_path
    inbox.mkdir(parents=True)
    a_dicom_file(inbox / "lateral.dcm", ViewPosition="LL")
    (inbox / "notes.txt").write_text("no film " * 99)
    (inbox / "half.dcm").write_bytes(a_dicom_file(tmp_path / "whole.dcm").read_bytes()[:-100])
    ensembles = EnsembleRegistry(settings.ensembles_path, "float32")
    worker = Worker(settings, database, reader, ensembles)
    for name in ("lateral.dcm", "notes.txt", "half.dcm"):
        claimed = claim(inbox, inbox / name)
        assert claimed is not None
        worker.take_in(claimed)


def refused(*arguments: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run("refused", "--json", *arguments).stdout)
    return rows


@pytest.mark.usefixtures("three_files")
def test_refusals_are_counted_and_filtered_by_code_and_time() -> None:
    counts = json.loads(run("refused", "--counts", "--json").stdout)
    assert counts == {"not_an_image": 1, "truncated": 1, "view_not_frontal": 1}
    assert "truncated" in run("refused", "--counts").stdout
    assert [row["file_name"] for row in refused("--code", "truncated")] == ["half.dcm"]
    assert len(refused("--since", "1h")) == 3
    assert refused("--since", "2199-01-01") == []
    assert run("refused", "--code", "no-such-code").exit_code == 2


@pytest.mark.usefixtures("three_files")
def test_an_original_comes_back_as_it_was(tmp_path: Path) -> None:
    (row,) = refused("--code", "not_an_image")
    for name in (str(row["image_id"]), str(row["sha256"]), str(row["sha256"])[:12]):
        target = tmp_path / f"original-{name}"
        assert run("original", name, "-o", str(target)).exit_code == 0
        assert target.read_text() == "no film " * 99
    assert run("original", str(row["image_id"]), "-o", "-").stdout == "no film " * 99


@pytest.mark.usefixtures("three_files")
def test_a_file_is_never_overwritten_and_an_unknown_image_named(tmp_path: Path) -> None:
    (row,) = refused("--code", "not_an_image")
    target = tmp_path / "mine"
    target.write_text("mine")
    over = run("original", str(row["image_id"]), "-o", str(target))
    assert isinstance(over.exception, Misconfigured)
    assert target.read_text() == "mine"
    unknown = run("original", "9999", "-o", str(tmp_path / "other"))
    assert isinstance(unknown.exception, NotThere)


@pytest.mark.usefixtures("three_files")
def test_an_image_that_came_in_can_be_named_where_a_film_is_explained(tmp_path: Path) -> None:
    (row,) = refused("--code", "view_not_frontal")
    original = Path(str(row["original"]))
    settings = load_settings()
    for name in (str(row["image_id"]), str(row["sha256"])[:12], str(original)):
        assert file_of(name, settings).samefile(original)
    original.unlink()
    for name, reason in (
        (str(row["image_id"]), "not in the store"),
        ("film.dcm", "no file film.dcm"),
    ):
        with pytest.raises(Misconfigured, match=reason):
            file_of(name, settings)


@pytest.mark.usefixtures("three_files")
def test_an_original_that_was_changed_is_not_given_out_as_one(tmp_path: Path) -> None:
    (row,) = refused("--code", "not_an_image")
    Path(str(row["original"])).write_text("something else")
    target = tmp_path / "original"
    result = run("original", str(row["image_id"]), "-o", str(target))
    assert isinstance(result.exception, Unavailable)
    assert not target.exists()


@pytest.mark.usefixtures("three_files")
def test_one_image_or_a_code_or_all_are_tried_again() -> None:
    (row,) = refused("--code", "truncated")
    (retried,) = json.loads(run("retry", str(row["image_id"]), "--json").stdout)
    assert retried["now"] == "truncated"
    (retried,) = json.loads(run("retry", "--code", "view_not_frontal", "--json").stdout)
    assert retried["now"] == "view_not_frontal"
    result = run("retry", "--all")
    assert result.exit_code == 0
    assert "3 of 3 retried" in result.stderr


@pytest.mark.usefixtures("three_files")
def test_what_a_fault_of_the_machine_may_have_caused_is_tried_again_by_one_command(
    home: Path,
) -> None:
    """As earlier releases refused it: good films, one by each code, and others that stay."""
    settings = load_settings()
    by_code = {
        RefusalCode.DECODER_CRASHED: "one.dcm",
        RefusalCode.DECODER_TIMEOUT: "two.dcm",
        RefusalCode.PROCESSING_FAILED: "three.dcm",
    }
    with open_use_cases(settings, RecordingNotifier()) as site:
        for code, name in by_code.items():
            grey = a_gradient() // (len(name) - 4)
            path = a_dicom_file(settings.inbox_path / name, grey)
            claimed = claim(settings.inbox_path, path)
            assert claimed is not None
            take_in(claimed, site.intake, refusal=Refused(code))
    assert home.is_dir()
    old = run("retry", "--machine-faults", "--since", "2199-01-01")
    assert "0 of 0 retried" in old.stderr
    retried = json.loads(run("retry", "--machine-faults", "--json").stdout)
    assert {row["before"]: row["now"] for row in retried} == {code.value: None for code in by_code}
    counts = json.loads(run("refused", "--counts", "--json").stdout)
    assert counts == {"not_an_image": 1, "truncated": 1, "view_not_frontal": 1}


# They are refused before anything is looked up.
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("1", "--all"),
        ("--all", "--code", "truncated"),
        ("--machine-faults", "--all"),
        ("--machine-faults", "--code", "truncated"),
        ("1", "--machine-faults"),
    ],
)
def test_which_ones_are_meant_must_be_said_in_one_way(arguments: tuple[str, ...]) -> None:
    assert isinstance(run("retry", *arguments).exception, Misconfigured)


def test_a_name_that_fits_two_images_is_none(database: Database) -> None:
    from datetime import UTC, datetime

    from db.worklist.refused import find_original
    from tests.support.studies import an_image

    with database.write() as session:
        first = an_image(session, datetime.now(UTC))
        first.sha256 = "a" * 63 + "0"
        session.flush()
        two = an_image(session, datetime.now(UTC))
        two.sha256 = "a" * 63 + "1"
    with database.read() as session:
        assert find_original(session, "a" * 12) is None
        record = find_original(session, "A" * 63 + "1")
    assert record is not None
    assert record.image_id == two.id
