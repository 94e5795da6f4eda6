"""`readfirst sources` and `readfirst fetch`, as a person types them, with an archive of others."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from readfirst.errors import Unavailable
from readfirst.pacs.source import Retrieval
from tests.support.pacs import Pacs, a_dcmqrscp, a_film, a_listener_of, an_orthanc_pacs, in_inbox
from tests.support.ports import free_port
from tests.support.waiting import TIMEOUT, wait_until

ROOT = Path(__file__).parents[3]


@dataclass
class FetchingSite:
    """A home, whose listener runs, and a PACS that sends to it by C-MOVE."""

    home: Path
    pacs: Pacs
    studies: list[str]

    @property
    def images(self) -> list[str]:
        return in_inbox(self.home / "inbox")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FetchingSite]:
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(home))
    (home / "inbox").mkdir(parents=True)
    with (
        a_listener_of(home / "inbox") as port,
        a_dcmqrscp(tmp_path / "pacs", Retrieval.C_MOVE, port) as pacs,
    ):
        studies = []
        for number, day in enumerate((1, 1, 2, 3)):
            study = pacs.add_film(
                tmp_path, StudyDate=f"2026110{day}", AccessionNumber=f"A-{number}"
            )
            studies.append(study)
        dimse = ("--host", "127.0.0.1", "--port", str(pacs.source.port), "--ae-title", "PACS")
        assert run("sources", "add", "archive", *dimse).exit_code == 0
        yield FetchingSite(home, pacs, studies)


def test_a_source_is_tested(site: FetchingSite) -> None:
    result = run("sources", "test", "archive", "--json")
    assert (result.exit_code, json.loads(result.stdout)["answers"]) == (0, True)
    assert "READFIRST_RECEIVE=true" in result.stderr
    site.pacs.stop()
    result = run("sources", "test", "archive")
    assert result.exit_code == 1
    assert "nothing listens at this port" in result.stderr
    assert "not since" in run("sources", "list").stdout


def test_a_dry_run_lists_and_fetches_nothing(site: FetchingSite) -> None:
    result = run("fetch", "--date", "2026-11-01..2026-11-02", "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert {row["study_instance_uid"] for row in rows} == set(site.studies[:3])
    assert json.loads(run("fetches", "--json").stdout) == []
    assert site.images == []
    assert site.studies[0] in run("fetch", "--date", "2026-11-01", "--dry-run").stdout


def test_days_numbers_and_studies_are_fetched_once(site: FetchingSite) -> None:
    result = run("fetch", "--date", "2026-11-01", "--per-hour", "36000", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["images"], answer["left"]) == (2, 0)
    numbers = site.home / "numbers.txt"
    numbers.write_text("A-1\n\nA-2\nA-2\nNONE\n")
    result = run("fetch", "--accession-list", str(numbers), "--per-hour", "36000")
    assert result.exit_code == 0, result.output
    result = run("fetch", "--study", site.studies[3], "--per-hour", "36000")
    assert result.exit_code == 0, result.output
    wait_until(lambda: len(site.images) == 4)
    rows = json.loads(run("fetches", "--json").stdout)
    assert {row["state"] for row in rows} == {"fetched"}
    assert {row["study_instance_uid"] for row in rows} == set(site.studies)
    assert "fetched" in run("fetches").stdout


def test_what_a_pacs_cannot_send_is_named_and_tried_again(
    site: FetchingSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READFIRST_RECEIVE_AE_TITLE", "STRANGER")
    soon = ("--per-hour", "36000")
    result = run("fetch", "--date", "2026-11-03", *soon)
    assert isinstance(result.exception, Unavailable)
    assert "does not know the AE title STRANGER" in str(result.exception)
    assert "the same command goes on" in str(result.exception)
    monkeypatch.setenv("READFIRST_RECEIVE_AE_TITLE", "READFIRST")
    result = run("fetch", "--left", "--json", *soon)
    assert (result.exit_code, json.loads(result.stdout)["images"]) == (0, 1)


def test_a_token_that_crosses_the_network_as_it_is_is_warned_of(site: FetchingSite) -> None:
    token = site.home / "token"
    token.write_text("secret")
    web = ("--by", "dicomweb", "--token-file", str(token))
    bare = run("sources", "add", "bare", *web, "--url", "http://pacs.example/dicom-web")
    assert "Use https" in bare.stderr
    safe = run("sources", "add", "safe", *web, "--url", "https://pacs.example/dicom-web")
    assert "Use https" not in safe.stderr
    assert "secret" not in run("sources", "list", "--json").stdout


def test_ctrl_c_ends_it_and_the_same_command_goes_on(site: FetchingSite) -> None:
    command = [*["fetch", "--date", "2026-11-01..2026-11-03", "--per-hour"]]
    process = subprocess.Popen(
        [sys.executable, "-m", "readfirst", *command, "3600"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(site.images) == 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1
    assert "The same command goes on" in errors
    assert "Traceback" not in errors
    assert run(*command, "36000").exit_code == 0
    wait_until(lambda: len(site.images) == 4)


def test_films_come_by_dicomweb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    with an_orthanc_pacs(tmp_path / "orthanc", Retrieval.DICOMWEB, free_port()) as pacs:
        path = tmp_path / "film.dcm"
        path.write_bytes(a_film(StudyDate="20261103", StudyID="1"))
        pacs.store(path)
        assert pacs.source.url is not None
        run("sources", "add", "cloud", "--by", "dicomweb", "--url", pacs.source.url)
        result = run("fetch", "--date", "2026-11-03", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["images"] == 1
    assert len(in_inbox(tmp_path / "home" / "inbox")) == 1
