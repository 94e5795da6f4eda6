"""Whatever is killed or cut, whenever: no good film ends refused, and every film ends scored."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from db.lifecycle.work import claim_ready, claim_received
from db.session import Database, open_database
from db.tables import Score
from ingest.inbox.claim import claim
from ingest.reader.reader_process import Reader
from models.manifest import shipped_version
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.domain import ImageScore, ImageState
from readfirst.errors import Misconfigured, ReadingInterrupted, Refused
from readfirst.machine_faults import FaultCode, WorkKind
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from readfirst.testing import FixedEnsemble
from tests.support.faults import states, stopped, time_passes, work_until_done
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.killable_worker import ENDED, HERE, POINTS
from tests.support.waiting import wait_until
from tests.support.workers import Worker, fixed_registry
from worker.scoring.ensemble_registry import EnsembleRegistry

ROOT = Path(__file__).parents[2]
SCORED = ImageState.SCORED
#: More often than a film may fail by its own doing.
OFTEN = Settings.model_fields["max_attempts"].default + 1


def take_in_films(worker: Worker, number: int) -> None:
    """Films that come in, each of another content."""
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True, exist_ok=True)
    known = len(states(worker.database))
    for each in range(known, known + number):
        path = inbox / f"{each}.dcm"
        path.write_bytes(dicom_bytes(a_dataset(a_gradient() // (each + 1))))
        claimed = claim(inbox, path)
        assert claimed is not None
        worker.take_in(claimed)


def check_all_are_scored_once(worker: Worker) -> None:
    assert set(states(worker.database)) == {SCORED}
    assert stopped(worker.database) == {}
    with worker.database.read() as session:
        scores = session.scalar(select(func.count()).select_from(Score))
    assert scores == len(states(worker.database))


# A worker is killed


@pytest.fixture(scope="module")
def killable_workers() -> Iterator["subprocess.Popen[str]"]:
    """The process that workers are forked from, which has imported all that they need."""
    command = [sys.executable, "-m", "tests.support.killable_worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        yield process
        process.communicate()


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_is_killed_again_and_again_refuses_no_film(
    worker: Worker, killable_workers: "subprocess.Popen[str]", point: str
) -> None:
    """As by the kernel's OOM killer: SIGKILL, always while it holds the same film."""
    take_in_films(worker, 2)
    for _ in range(OFTEN):
        kill_a_worker_at(point, worker.settings, killable_workers)
        time_passes(worker.database)
        worker.sweep_once()
    work_until_done(worker)
    check_all_are_scored_once(worker)


def kill_a_worker_at(point: str, settings: Settings, workers: "subprocess.Popen[str]") -> None:
    """Start a worker, wait until it stands at a point of its work, and kill it there."""
    assert workers.stdin is not None
    assert workers.stdout is not None
    request = [str(settings.home_path), settings.database, point]
    workers.stdin.write(json.dumps(request) + "\n")
    workers.stdin.flush()
    killed = 0
    for line in iter(workers.stdout.readline, ""):
        word, *pid = line.split() or [""]
        if word == HERE:
            os.kill(int(pid[0]), signal.SIGKILL)
            killed += 1
        if word == ENDED:
            break
    assert killed == 1, "it never came to this point"


# The database ends connections


@dataclass
class Cutter:
    """Ends the connection on which a statement is sent, or a commit.

    number: of that statement or commit, from 0 on; None for none. passed: how many there were.
    """

    worked: Database
    administration: Database
    number: int | None = None
    passed: int = 0
    cuts: int = field(default=0, init=False)

    def listen(self) -> None:
        """Look at all that is sent from now on."""
        event.listen(self.worked.engine, "before_cursor_execute", self._statement)
        event.listen(self.worked.engine, "commit", self._commit)

    def arm(self, number: int | None) -> None:
        """Cut once, at this statement from now on."""
        self.number, self.passed = number, 0

    def _statement(self, connection: Connection, *_: object) -> None:
        self._pass(connection)

    def _commit(self, connection: Connection) -> None:
        self._pass(connection)

    def _pass(self, connection: Connection) -> None:
        if self.passed == self.number:
            driver: Any = connection.connection.driver_connection
            self._end(driver.info.backend_pid)
            self.cuts += 1
        self.passed += 1

    def _end(self, pid: int) -> None:
        """End a connection; PostgreSQL itself looks every 100 ms only whether it has ended."""
        with self.administration.read() as session:
            assert session.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

        def has_ended() -> bool:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            with self.administration.read() as session:
                return not session.scalar(query, {"pid": pid})

        wait_until(has_ended, pause=0.005)


@pytest.fixture
def postgresql_worker(
    tmp_path: Path, migrated_postgresql_database: str, reader: Reader, ensemble: FixedEnsemble
) -> Iterator[tuple[Worker, Cutter]]:
    chosen = Settings(home=tmp_path / "home", database_url=SecretStr(migrated_postgresql_database))
    worked, administration = (open_database(chosen.database) for _ in range(2))
    cutter = Cutter(worked, administration)
    cutter.listen()
    yield Worker(chosen, worked, reader, fixed_registry(chosen, ensemble)), cutter
    worked.dispose()
    administration.dispose()


def work_once(worker: Worker) -> None:
    """As the tasks do: a database error ends them, and the next one begins anew."""
    for work in (worker.prepare_next, worker.score_batch):
        with suppress(SQLAlchemyError):
            work()


def test_a_database_that_ends_the_connection_at_any_statement_refuses_no_film(
    postgresql_worker: tuple[Worker, Cutter],
) -> None:
    worker, cutter = postgresql_worker
    take_in_films(worker, 1)
    cutter.arm(None)
    work_once(worker)
    statements = cutter.passed
    assert statements > 10
    for number in range(statements):
        take_in_films(worker, 1)
        for _ in range(OFTEN):
            cutter.arm(number)
            work_once(worker)
            cutter.arm(None)
            time_passes(worker.database)
    assert cutter.cuts >= statements
    work_until_done(worker)
    check_all_are_scored_once(worker)


# The disk


@pytest.fixture
def on_small_disk(worker: Worker, small_disk: Path) -> Worker:
    """A worker whose derived images lie on a small disk of their own."""
    (small_disk / "prepared").mkdir()
    worker.settings.home_path.mkdir(parents=True, exist_ok=True)
    worker.settings.prepared_path.symlink_to(small_disk / "prepared")
    return worker


def fill(disk: Path) -> Callable[[], None]:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0
    return ballast.unlink


def make_read_only(disk: Path) -> Callable[[], None]:
    """Mount it anew, as the kernel does after errors of a disk."""

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

    remount("ro")
    return lambda: remount("rw")


@pytest.mark.parametrize("spoil", [fill, make_read_only])
def test_a_disk_that_takes_nothing_refuses_no_film(
    on_small_disk: Worker, small_disk: Path, spoil: Callable[[Path], Callable[[], None]]
) -> None:
    worker = on_small_disk
    take_in_films(worker, 1)
    work_until_done(worker)
    take_in_films(worker, 4)
    end_fault = spoil(small_disk)
    try:
        for _ in range(OFTEN):
            work_once(worker)
            worker.sweep_once()
            time_passes(worker.database)
        assert stopped(worker.database) == {
            WorkKind.PREPARING: FaultCode.DERIVED_IMAGES_NOT_WRITTEN
        }
    finally:
        end_fault()
    work_until_done(worker)
    check_all_are_scored_once(worker)


# Anything of it, in any order


class FragileReader(Reader):
    """A reader whose process is ended from outside while this is set."""

    interrupted = False

    def film(self, path: Path, least_side: int) -> Any:
        if self.interrupted:
            raise ReadingInterrupted(RefusalCode.DECODER_CRASHED, "it was killed")
        return super().film(path, least_side)


class FragileEnsemble(FixedEnsemble):
    """Networks that fail while this is set, as a GPU whose driver does."""

    fails = False

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        if self.fails:
            raise RuntimeError("CUDA_ERROR_UNKNOWN")
        return super().predict(images)


@dataclass
class FragileSite:
    """A worker, and what may break of it."""

    worker: Worker
    reader: FragileReader
    ensemble: FragileEnsemble


def kill_the_idle_reader(site: FragileSite) -> None:
    if site.reader.pid is not None:
        os.kill(site.reader.pid, 9)
    work_once(site.worker)


def interrupt_the_reader(site: FragileSite) -> None:
    site.reader.interrupted = True
    work_once(site.worker)
    site.reader.interrupted = False


def let_the_worker_die(site: FragileSite) -> None:
    """It holds what it has claimed, and says no word any more."""
    with site.worker.use_cases.units.begin() as unit:
        claim_received(unit)
        claim_ready(unit, 32, PREPROCESSING_VERSION)


def let_networks_fail(site: FragileSite) -> None:
    site.ensemble.fails = True
    work_once(site.worker)
    site.ensemble.fails = False


def let_no_ensemble_load(site: FragileSite) -> None:
    def load(_: Path) -> FixedEnsemble:
        raise Misconfigured("the weight file is cut")

    registry = EnsembleRegistry(site.worker.settings.ensembles_path, "float32", load=load)
    worker = replace(site.worker, ensembles=registry)
    worker.prepare_next()
    with suppress(Misconfigured):
        worker.score_batch()


def take_a_folder_away(name: str) -> Callable[[FragileSite], None]:
    """Work while a file stands where one of our folders should be."""

    def work_without(site: FragileSite) -> None:
        folder = site.worker.settings.home_path / name
        away = folder.with_name("away")
        was_there = folder.exists()
        if was_there:
            folder.rename(away)
        folder.write_bytes(b"in the way")
        work_once(site.worker)
        folder.unlink()
        if was_there:
            away.rename(folder)

    return work_without


FAULTS: dict[str, Callable[[FragileSite], None]] = {
    "a film comes in": lambda site: take_in_films(site.worker, 1),
    "no fault": lambda site: work_once(site.worker),
    "the idle reader is killed": kill_the_idle_reader,
    "the reader is killed at work": interrupt_the_reader,
    "the worker dies": let_the_worker_die,
    "networks fail": let_networks_fail,
    "no ensemble can be loaded": let_no_ensemble_load,
    "derived images cannot be kept": take_a_folder_away("prepared"),
    "the store is gone": take_a_folder_away("store"),
    "time passes": lambda site: time_passes(site.worker.database),
}


@contextmanager
def a_site(migrated_file: Path, reader: FragileReader) -> Iterator[FragileSite]:
    with TemporaryDirectory(dir=migrated_file.parent) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        shutil.copy(migrated_file, home / "readfirst.db")
        chosen = Settings(home=home, database_url=SecretStr(f"sqlite:///{home / 'readfirst.db'}"))
        database = open_database(chosen.database)
        ensemble = FragileEnsemble([0.9], version=shipped_version())
        registry = fixed_registry(chosen, ensemble)
        yield FragileSite(Worker(chosen, database, reader, registry), reader, ensemble)
        database.dispose()


@pytest.fixture(scope="module")
def fragile_reader() -> Iterator[FragileReader]:
    with FragileReader(120, 512) as opened:
        yield opened


@settings(max_examples=30)
@given(faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=25))
def test_whatever_breaks_in_whatever_order_every_film_ends_scored(
    migrated_file: Path, fragile_reader: FragileReader, faults: list[str]
) -> None:
    with a_site(migrated_file, fragile_reader) as site:
        take_in_films(site.worker, 2)
        for name in faults:
            FAULTS[name](site)
        time_passes(site.worker.database)
        work_until_done(site.worker)
        check_all_are_scored_once(site.worker)
