"""`score` with names of every kind, and cut off in the middle."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from readfirst.errors import Misconfigured
from readfirst.samples import FOLDER
from tests.support.small_ensemble import write_small_ensemble
from tests.support.waiting import wait_until

FILM = (FOLDER / "study-01.dcm").read_bytes()
NAMES = [b"=HYPERLINK(1).dcm", b"@x.dcm", b"caf\xe9.dcm", b"esc\x1b[31mred.dcm", b"good.dcm"]
SHOWN = ["=HYPERLINK(1).dcm", "@x.dcm", r"caf\xe9.dcm", r"esc\x1b[31mred.dcm", "good.dcm"]


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with films of odd names, in which the command runs."""
    folder = tmp_path / "films"
    folder.mkdir()
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(FILM)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    write_small_ensemble(tmp_path / "home" / "ensembles")
    monkeypatch.setenv("READFIRST_BATCH_SIZE", "1")
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["score", *arguments])


@pytest.mark.usefixtures("films")
def test_names_of_every_kind_lose_nothing_and_set_off_nothing() -> None:
    as_json = run(".", "--json")
    assert as_json.exit_code == 0, as_json.output
    assert [row["path"] for row in json.loads(as_json.stdout)] == SHOWN
    as_csv = run(".", "--csv").stdout
    paths = [row["path"] for row in csv.DictReader(io.StringIO(as_csv))]
    assert paths == [f"'{name}" if name[0] in "=@" else name for name in SHOWN]
    table = run(".").stdout
    assert all(name in table for name in SHOWN)
    assert "\x1b" not in as_json.stdout + as_csv + table


def test_a_file_that_cannot_be_read_costs_no_other_result(films: Path) -> None:
    """It is gone after the folder was listed, as when a share goes away."""
    from worker.scoring import offline_scoring

    listed = offline_scoring.files_in

    def vanished(paths: Sequence[Path]) -> list[Path]:
        files = listed(paths)
        (films / "@x.dcm").unlink(missing_ok=True)
        return files

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline_scoring, "files_in", vanished)
        result = run(".", "--json")
    rows = {row["path"]: row for row in json.loads(result.stdout)}
    assert rows["@x.dcm"]["status"] == "unreadable"
    assert "cannot be read" in rows["@x.dcm"]["reason"]
    assert [row["status"] for row in rows.values()].count("scored") == len(NAMES) - 1
    assert result.exit_code == 1
    assert "1 could not be read" in result.stderr


@pytest.mark.slow
def test_a_killed_run_goes_on_and_scores_nothing_twice(films: Path) -> None:
    for number in range(20):
        (films / f"more-{number}.dcm").write_bytes(FILM)
    output = films / "results.jsonl"
    command = [sys.executable, "-m", "readfirst", "score", str(films), "-o", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as first:
        wait_until(lambda: output.exists() and output.read_bytes().count(b"\n") > 3)
        first.kill()
    text = goes_on(films, output, b'{"path":"/half')
    paths = [json.loads(line)["path"] for line in text.splitlines()]
    assert len(paths) == len(set(paths)) == len(NAMES) + 20


def test_a_table_that_was_cut_off_goes_on_likewise(films: Path) -> None:
    """The same code writes it, line by line."""
    output = films / "results.csv"
    assert run(str(films), "-o", str(output)).exit_code == 0
    output.write_bytes(b"".join(output.read_bytes().splitlines(keepends=True)[:3]))
    text = goes_on(films, output, b"/half,sco")
    paths = [row["path"] for row in csv.DictReader(io.StringIO(text))]
    assert len(paths) == len(set(paths)) == len(NAMES)


def goes_on(films: Path, output: Path, half: bytes) -> str:
    """Go on with a file that ends in half a line, and once more. Returns what it holds then."""
    with output.open("ab") as file:
        file.write(half)
    before = output.read_bytes().rpartition(b"\n")[0]
    again = run(str(films), "-o", str(output))
    assert again.exit_code == 0, again.output
    assert f"{output} holds " in again.stderr
    assert output.read_bytes().startswith(before)
    text = output.read_text()
    once_more = run(str(films), "-o", str(output))
    assert once_more.exit_code == 0, once_more.output
    assert "0 files are left" in once_more.stderr
    assert output.read_text() == text
    return text


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize("more", [["--json"], ["--csv"], ["--json", "--csv"]])
def test_one_way_to_write_is_chosen(more: list[str]) -> None:
    result = run(".", "--output", "results.csv", *more)
    assert isinstance(result.exception, Misconfigured)
    assert not Path("results.csv").exists()
