"""The earlier films of a patient are fetched when a new one comes in, and are no unread work."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from sqlalchemy import select
from typer.testing import CliRunner

from cli import app
from db.pacs.fetches import fetch_records
from db.pacs.sources import add_source
from db.session import Database
from db.tables import Study
from ingest.inbox.claim import claim
from readfirst.errors import Misconfigured
from readfirst.pacs.fetches import FetchPurpose
from readfirst.pacs.source import Retrieval
from tests.support.pacs import OpenPacs, Pacs, a_dcmqrscp, a_film, an_orthanc_pacs, fetch_services
from tests.support.ports import free_port
from tests.support.workers import Worker
from worker.pacs.find_priors import PriorPolicy
from worker.pacs.poll import Poller, PollPolicy

PRIOR_AFTER = timedelta(days=90)
POLICY = PriorPolicy(most=2, most_per_day=100, prior_after=PRIOR_AFTER, zone=UTC)
PEERS: list[tuple[OpenPacs, Retrieval]] = [
    (a_dcmqrscp, Retrieval.C_GET),
    (an_orthanc_pacs, Retrieval.DICOMWEB),
]


def add_film(pacs: Pacs, folder: Path, **attributes: object) -> str:
    """Let a PACS have one more film, three hundred days old; its study."""
    return pacs.add_film(folder, **{"StudyDate": days_ago(300)} | attributes)


def days_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y%m%d}"


@pytest.fixture
def site(worker: Worker) -> Worker:
    """A site with a rule of priors."""
    worker.settings.inbox_path.mkdir(parents=True)
    return worker.with_settings(prior_after_days=PRIOR_AFTER.days)


@pytest.fixture
def film_comes_in(site: Worker) -> Callable[..., str]:
    """Let a film of today come in, as from a modality; its study."""

    def comes_in(**attributes: object) -> str:
        now = datetime.now(UTC)
        study = generate_uid()
        timed = {"StudyDate": f"{now:%Y%m%d}", "StudyTime": f"{now:%H%M%S}"}
        path = site.settings.inbox_path / f"{study}.dcm"
        path.write_bytes(a_film(**{"StudyInstanceUID": study} | timed | attributes))
        take_in(site, path)
        return study

    return comes_in


def take_in(site: Worker, path: Path) -> None:
    claimed = claim(site.settings.inbox_path, path)
    assert claimed is not None
    site.take_in(claimed)


def a_poller(site: Worker, policy: PriorPolicy | None = POLICY) -> Poller:
    services = fetch_services(site.database, site.settings.inbox_path)
    # No pause: each visit of a test is due at once.
    rules = PollPolicy(every=timedelta(microseconds=1), look_back=timedelta(), zone=UTC)
    poller = Poller(services, replace(rules, priors=policy), threading.Event())
    poller.seconds = lambda: 0.0
    return poller


def add(database: Database, pacs: Pacs) -> None:
    with database.write() as session:
        add_source(session, replace(pacs.source, gives_priors=True), datetime.now(UTC))


def priors(database: Database) -> set[str]:
    with database.read() as session:
        rows = fetch_records(session)
    assert {row.purpose for row in rows} <= {FetchPurpose.PRIOR}
    return {row.study_instance_uid for row in rows}


@pytest.mark.parametrize(("open_pacs", "retrieval"), PEERS, ids=["dcmqrscp", "orthanc"])
def test_the_newest_chest_films_of_a_patient_come_and_are_no_work(
    open_pacs: OpenPacs,
    retrieval: Retrieval,
    site: Worker,
    film_comes_in: Callable[..., str],
    tmp_path: Path,
) -> None:
    with open_pacs(tmp_path / "pacs", retrieval, free_port()) as pacs:
        add(site.database, pacs)
        newest = add_film(pacs, tmp_path, StudyDate=days_ago(20), BodyPartExamined="CHEST")
        second = add_film(pacs, tmp_path)
        add_film(pacs, tmp_path, StudyDate=days_ago(400))
        add_film(pacs, tmp_path, PatientID="TEST-2")
        if open_pacs is an_orthanc_pacs:
            # The other one does not say which part of the body a series shows.
            add_film(pacs, tmp_path, BodyPartExamined="KNEE", StudyDate=days_ago(10))
        add_film(pacs, tmp_path, StudyDate=days_ago(0))
        poller = a_poller(site)
        assert poller.visit_next()
        assert priors(site.database) == set(), "nothing has come in"
        study = film_comes_in()
        assert poller.visit_next()
        assert priors(site.database) == {newest, second}
        for path in site.settings.inbox_path.glob("pacs/*"):
            take_in(site, path)
        # Neither of them has priors of its own.
        assert poller.visit_next()
        assert priors(site.database) == {newest, second}
    with site.database.read() as session:
        prior_since = dict(
            session.execute(select(Study.study_instance_uid, Study.prior_since)).all()
        )
    assert prior_since.pop(study) is None
    assert prior_since.keys() == {newest, second}
    assert None not in prior_since.values()


def test_no_more_come_in_a_day_than_may(
    site: Worker, film_comes_in: Callable[..., str], tmp_path: Path
) -> None:
    with a_dcmqrscp(tmp_path / "pacs", Retrieval.C_GET, free_port()) as pacs:
        add(site.database, pacs)
        for number in range(3):
            add_film(pacs, tmp_path, PatientID=f"P-{number}")
            film_comes_in(PatientID=f"P-{number}")
        poller = a_poller(site, replace(POLICY, most_per_day=2))
        for _ in range(3):
            assert poller.visit_next()
    assert len(priors(site.database)) == 2


def test_nothing_comes_where_no_study_is_a_prior(
    site: Worker,
    film_comes_in: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with a_dcmqrscp(tmp_path / "pacs", Retrieval.C_GET, free_port()) as pacs:
        add(site.database, pacs)
        add_film(pacs, tmp_path)
        film_comes_in()
        assert a_poller(site, None).visit_next()
    assert priors(site.database) == set()
    monkeypatch.setenv("READFIRST_HOME", str(site.settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", site.settings.database)
    monkeypatch.setenv("READFIRST_PRIOR_AFTER_DAYS", "0")
    result = CliRunner().invoke(app, ["sources", "change", "archive", "--priors"])
    assert isinstance(result.exception, Misconfigured)
    assert "would be unread work" in str(result.exception)
