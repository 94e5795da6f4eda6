"""A site for the browser: real films in a real home, taken in by the workers' own steps.

Only the networks are left out: what they would say of a film is chosen. The scores are kept under
the shipped ensemble's version and threshold.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select

from db.access import accounts
from db.migrate import upgrade
from db.session import open_database
from db.tables import Arrival, Study
from ingest.inbox.claim import claim
from ingest.reader.reader_process import Reader
from models.manifest import shipped_version
from readfirst.access.credentials import hash_password
from readfirst.access.roles import Role
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from readfirst.testing import FixedEnsemble
from tests.support.waiting import TIMEOUT
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry

PASSWORD = "four plain words here"
#: What the networks would say of each film of the seeded site; study-05 is ordered as STAT.
SEEDED = {
    "study-01.dcm": 0.04,
    "study-02.dcm": 0.97,
    "study-03.dcm": 0.11,
    "study-04.dcm": 0.55,
    "study-05.dcm": 0.21,
    "study-08.dcm": 0.93,
    "study-09.dcm": 0.02,
    "film-01.jpg": 0.07,
    "film-02.jpg": 0.95,
}
#: How far the members of the ensemble are apart; all of them on one side of the threshold.
SPREAD = 0.02
#: Films of the samples that are not seeded, for what arrives while somebody looks.
LATER = tuple(FOLDER / name for name in ("study-06.dcm", "study-07.dcm"))


@dataclass(frozen=True, slots=True)
class Site:
    """A running ReadFirst without workers: a test takes their steps itself."""

    settings: Settings
    worker: Worker
    #: As `http://127.0.0.1:43210`, without a slash behind it; empty before it is served.
    address: str = ""

    def arrive(self, film: Path, probability: float | None = None, name: str = "") -> str:
        """Let a file come in, under this name of the inbox, and be scored, or wait unscored.

        Returns the Study Instance UID.
        """
        inbox = self.settings.inbox_path
        path = inbox / (name or film.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(film, path)
        claimed = claim(inbox, path)
        assert claimed is not None
        self.worker.take_in(claimed)
        if probability is not None:
            self.score(probability)
        with self.worker.database.read() as session:
            arrivals = select(Arrival).where(Arrival.claim_id == claimed.claim_id)
            arrival = session.scalars(arrivals).one()
            return arrival.image.study.study_instance_uid

    def score(self, probability: float) -> None:
        """Prepare and score all that waits."""
        fixed = FixedEnsemble([probability], version=shipped_version(), spread=SPREAD)
        while self.worker.prepare_next():
            pass
        self.worker.with_ensemble(fixed).score_batch()

    def study(self, patient_id: str) -> str:
        """The Study Instance UID of a patient, as `DEMO-0009`."""
        with self.worker.database.read() as session:
            named = select(Study.study_instance_uid).where(Study.patient_id == patient_id)
            return session.scalars(named).one()


@contextmanager
def a_site(home: Path, reader: Reader) -> Iterator[Site]:
    """A site in this folder, new or not; nobody serves it yet."""
    settings = Settings(
        home=home,
        database_url=f"sqlite:///{home / 'readfirst.db'}",
        decode_seconds=TIMEOUT,
        # The samples are of one day of the past.
        prior_after_days=0,
    )
    home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    upgrade(database)
    ensembles = EnsembleRegistry(settings.ensembles_path, "float32")
    worker = Worker(settings, database, reader, ensembles)
    try:
        yield Site(settings, worker)
    finally:
        database.dispose()


def seed(site: Site) -> None:
    """Nine scored films, and a file that is refused."""
    for name, probability in SEEDED.items():
        site.arrive(FOLDER / name, probability)
    whole = FOLDER / "study-10.dcm"
    cut = site.settings.home_path / "cut.dcm"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    site.arrive(cut)
    site.score(0.0)


@cache
def _password_hash() -> str:
    """Hashing is slow on purpose: once is enough."""
    return hash_password(PASSWORD)


def add_people(site: Site) -> None:
    """An account of each role that may see pages, of its role's name; `PASSWORD` is theirs.

    From now on everybody has to log in.
    """
    hashed = _password_hash()
    with site.worker.database.write() as session:
        for role in (Role.READER, Role.LEAD, Role.ADMIN):
            new = accounts.NewAccount(name=role.value, role=role, password_hash=hashed)
            accounts.add(session, new, datetime.now(UTC))
