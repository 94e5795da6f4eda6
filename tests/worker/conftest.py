"""Everything a worker holds, real but for the networks, whose answers a test chooses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.migrate import upgrade
from db.session import Database
from ingest.claim import Claim, claim
from ingest.sandbox import Reader
from ingest.store import Store
from models.ensemble import FixedEnsemble
from readfirst.prepared import PreparedImages
from readfirst.queue import SilentRinger
from readfirst.settings import Settings
from worker.judgement import Judgement
from worker.resources import Resources


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    with Reader(30, 512) as opened:
        yield opened


@pytest.fixture
def ensemble() -> FixedEnsemble:
    """Says 0.95 of the first image, 0.1 of the second, and so on in turn."""
    return FixedEnsemble([0.95, 0.1], version="2.0")


@pytest.fixture
def resources(
    settings: Settings, database: Database, reader: Reader, ensemble: FixedEnsemble
) -> Resources:
    upgrade(database)
    return Resources(
        settings=settings,
        database=database,
        store=Store(settings.store_path),
        prepared=PreparedImages(settings.prepared_path),
        reader=reader,
        ringer=SilentRinger(),
        judgement=Judgement(settings.ensembles_path, "float32", load=lambda _: ensemble),
    )


@pytest.fixture
def drop(resources: Resources) -> Callable[[Path], Claim]:
    """Put a copy of a file into the inbox and claim it."""

    def dropped(source: Path, name: str | None = None) -> Claim:
        inbox = resources.settings.inbox_path
        inbox.mkdir(parents=True, exist_ok=True)
        path = inbox / (name or source.name)
        path.write_bytes(source.read_bytes())
        claimed = claim(inbox, path)
        assert claimed is not None
        return claimed

    return dropped
