"""Results leave by real processes, which are killed, to a PACS that is down and comes up again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy

import psutil
import pytest

from readfirst.samples import FOLDER
from tests.support.environments import clean_environment
from tests.support.orthanc import an_orthanc
from tests.support.ports import free_port
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import (
    ROOT,
    kill_all,
    part_of_stack,
    rows,
    run_here,
    scored,
    time_passes,
    wait_for,
)
from tests.support.waiting import TIMEOUT

pytestmark = pytest.mark.stack
FILMS = [FOLDER / f"study-0{number}.dcm" for number in (1, 2, 3)]
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


@contextmanager
def killed_at_the_end(environment: dict[str, str]) -> Iterator[None]:
    """The stack but its page, with all of it killed at once, as when the power goes."""
    parts = part_of_stack("receive", "ingest", "prepare", "assess", "beat")
    started = subprocess.Popen(parts, env=environment, start_new_session=True, cwd=ROOT)
    try:
        yield
    finally:
        family = kill_all(psutil.Process(started.pid))
        started.wait(TIMEOUT)
        psutil.wait_procs(family, timeout=TIMEOUT)


def states(environment: dict[str, str]) -> list[str]:
    return [row["state"] for row in rows(environment, "destinations", "waiting", "--all")]


def test_a_pacs_that_was_down_gets_each_report_once_after_all_was_killed(tmp_path: Path) -> None:
    home, listener, dicom_port = tmp_path / "home", free_port(), free_port()
    environment = clean_environment() | {
        "READFIRST_HOME": str(home),
        "READFIRST_DATABASE_URL": f"sqlite:///{home / 'readfirst.db'}",
        "READFIRST_PORT": "0",
        "READFIRST_SETTLE_SECONDS": "0.2",
        "READFIRST_SWEEP_SECONDS": "2",
        "READFIRST_PRIOR_AFTER_DAYS": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": str(listener),
    }
    (home / "inbox").mkdir(parents=True)
    write_small_ensemble(home / "ensembles")
    address = {"host": "127.0.0.1", "port": dicom_port, "ae_title": "ORTHANC", "commitment": "yes"}
    parts = [word for name, value in address.items() for word in ("--set", f"{name}={value}")]
    add = ["destinations", "add", "pacs", "--kind", "dicom", "--form", "sr", "--studies", "all"]
    run_here(environment, *add, *parts)
    for film in FILMS:
        copy(film, home / "inbox")
    with killed_at_the_end(environment):
        wait_for(lambda: scored(environment) == len(FILMS), home / "logs")
        assert states(environment) == ["waiting"] * len(FILMS)
    # What a killed worker held is sent after the end of its lease, and what failed after a pause.
    time_passes(environment)
    modality = {"AET": "READFIRST", "Host": "127.0.0.1", "Port": listener}
    config = {"DicomModalities": {"readfirst": modality}, "DicomPort": dicom_port}
    with an_orthanc(tmp_path, config) as orthanc, killed_at_the_end(environment):
        wait_for(lambda: states(environment) == ["committed"] * len(FILMS), home / "logs")
        listed = rows(environment, "worklist", "--all")
        for study in listed:
            kept = orthanc.find("Study", StudyInstanceUID=study["study_instance_uid"])
            assert list(orthanc.instances(kept["ID"]).values()) == [COMPREHENSIVE_SR]
    assert len(listed) == len(FILMS)
