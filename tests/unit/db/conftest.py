"""A database of each kind for all tests of a module; each test's transaction is rolled back."""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from db.session import Database, open_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("lifecycle") / "readfirst.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("module_postgresql_database")
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(shared_database: Database) -> Iterator[Session]:
    """A transaction that nobody ever commits."""
    writer = shared_database.engine.execution_options(readfirst_write=True)
    with Session(writer, expire_on_commit=False) as opened:
        yield opened
        opened.rollback()
