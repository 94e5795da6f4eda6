"""A candidate in shadow with real processes: films overtake it, and a kill loses nothing."""

import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest

from models.manifest import MANIFEST_FILE, load_manifest, shipped_version
from readfirst.samples import FOLDER
from tests.support.environments import clean_environment
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import part_of_stack, rows, run_here, running, scored, selected, wait_for

pytestmark = pytest.mark.stack
FILMS = [FOLDER / f"study-{n:02}.dcm" for n in range(1, 6)]
LATE = FOLDER / "study-06.dcm"
CANDIDATE = "9.9"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a stack on SQLite, which looks for forgotten work every two seconds."""
    return clean_environment() | {
        "READFIRST_HOME": str(tmp_path / "home"),
        "READFIRST_DATABASE_URL": f"sqlite:///{tmp_path / 'home' / 'readfirst.db'}",
        "READFIRST_PORT": "0",
        "READFIRST_SCAN_SECONDS": "2",
        "READFIRST_SWEEP_SECONDS": "2",
        "READFIRST_LEASE_SECONDS": "60",
        "READFIRST_PRIOR_AFTER_DAYS": "0",
    }


def write_candidate(site_folder: Path) -> None:
    """The small ensemble under another version."""
    folder = site_folder / CANDIDATE
    shutil.copytree(site_folder / "small", folder)
    manifest = load_manifest(folder).model_copy(update={"version": CANDIDATE})
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())


def counts(environment: dict[str, str]) -> dict[str, int]:
    """The number of scores of each version."""
    query = "SELECT ensemble_version, count(*) FROM scores GROUP BY ensemble_version"
    return dict(map(tuple, selected(environment, query)))


def ensembles(environment: dict[str, str]) -> set[Any]:
    return {row["ensemble_version"] for row in rows(environment, "worklist", "--all")}


@pytest.mark.timeout(1800)
def test_films_overtake_a_shadow_and_a_killed_worker_loses_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    home, active = tmp_path / "home", shipped_version()
    inbox = home / "inbox"
    inbox.mkdir(parents=True)
    write_small_ensemble(home / "ensembles")
    write_candidate(home / "ensembles")
    for film in FILMS:
        shutil.copy(film, inbox)
    with running(part_of_stack("ingest", "prepare", "assess", "beat"), environment) as up:
        wait_for(lambda: scored(environment) == len(FILMS), home / "logs")
        run_here(environment, "models", "shadow", CANDIDATE)
        # Its networks are loaded, or it scores: killed at whatever it does.
        wait_for(lambda: "shadow_loaded" in log_of_worker(home), home / "logs")
        kill_the_scoring_worker(up)
        shutil.copy(LATE, inbox)
        wait_for(lambda: scored(environment) == len(FILMS) + 1, home / "logs")
        # The film of now is due in ten minutes, or scored with those of before.
        wait_for(lambda: counts(environment).get(CANDIDATE, 0) >= len(FILMS), home / "logs")
        assert counts(environment)[active] == len(FILMS) + 1
        assert ensembles(environment) == {active}, "nothing ranks by it"
        run_here(environment, "models", "promote", CANDIDATE)
        wait_for(lambda: CANDIDATE in ensembles(environment), home / "logs")
        assert counts(environment)[CANDIDATE] >= len(FILMS)


def log_of_worker(home: Path) -> str:
    return "".join(log.read_text() for log in (home / "logs").glob("*assess*"))


def kill_the_scoring_worker(up: psutil.Process) -> None:
    for child in up.children(recursive=True):
        if "assess" in child.cmdline():
            child.kill()
            return
    pytest.fail("no worker scores")
