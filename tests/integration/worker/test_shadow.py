"""Scoring in shadow as workers do it: behind all films, by networks of its own, once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update

from db.ensembles.shadows import begin_shadow
from db.ensembles.versions import EnsembleFacts, promote, register
from db.nights.running import NewNight, begin_night, close_night
from db.tables import EnsembleVersion, Night, Score, ShadowImage, Study
from ingest.inbox.claim import Claim
from models.ensemble import ScoringModel
from models.manifest import shipped_version
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured, Refused
from readfirst.nights.reasons import NightEnd
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from readfirst.testing import FixedEnsemble
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.rescore import rank_by_active

FILMS = ("film-01.jpg", "film-02.jpg", "film-03.jpg")


class Networks(FixedEnsemble):
    """Networks that count the batches they are given, and fail or refuse when a test says so."""

    def __init__(self, version: str, probabilities: list[float]) -> None:
        super().__init__(probabilities, version=version)
        self.batches: list[int] = []
        self.refuses = False
        self.fails_from: int | None = None

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        if self.fails_from is not None and len(images) >= self.fails_from:
            raise RuntimeError("it fails")
        self.batches.append(len(images))
        if self.refuses:
            return [Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH) for _ in images]
        return super().predict(images)


class Registry(EnsembleRegistry):
    """The networks of each version are a test's own; `loads` says which were loaded."""

    def __init__(self, folder: Path, networks: dict[str, Networks]) -> None:
        super().__init__(folder, "float32", load=self._of_folder)
        self.of_version = networks
        self.loads: list[str] = []

    def _of_folder(self, folder: Path) -> ScoringModel:
        version = shipped_version() if folder == super()._folder(shipped_version()) else folder.name
        self.loads.append(version)
        if version not in self.of_version:
            raise Misconfigured("Its weights are gone.")
        return self.of_version[version]

    def _folder(self, version: str) -> Path:
        return super()._folder(version) if version == shipped_version() else Path(version)


@pytest.fixture
def active(worker: Worker) -> Networks:
    return Networks(shipped_version(), [0.1])


@pytest.fixture
def candidate() -> Networks:
    return Networks("9.9", [0.9])


@pytest.fixture
def registry(worker: Worker, active: Networks, candidate: Networks) -> Registry:
    return Registry(
        worker.settings.ensembles_path, {active.version: active, candidate.version: candidate}
    )


@pytest.fixture
def site(worker: Worker, registry: Registry) -> Worker:
    """A worker with an active ensemble, and with 9.9 in shadow."""
    return with_shadow(Worker(worker.settings, worker.database, worker.reader, registry), "9.9")


def with_shadow(site: Worker, version: str) -> Worker:
    now = datetime.now(UTC)
    with site.database.write() as session:
        active = site.ensembles.active(session, now)
        facts = EnsembleFacts(version, 0.5, active.preprocessing_version)
        register(session, facts, now)
        begin_shadow(session, version, now)
    return site


def bring(site: Worker, drop: Callable[..., Claim], *names: str) -> None:
    for name in names:
        site.take_in(drop(FOLDER / name))


def score_live(site: Worker) -> None:
    while site.prepare_next() or site.score_batch():
        pass


def make_due(site: Worker) -> None:
    """Ten minutes later."""
    with site.database.write() as session:
        session.execute(update(ShadowImage).values(due_at=datetime.now(UTC) - timedelta(seconds=1)))


def steps(site: Worker) -> int:
    count = 0
    while site.shadow_next():
        count += 1
    return count


def scores(site: Worker) -> dict[str, int]:
    with site.database.read() as session:
        query = select(Score.ensemble_version, func.count()).group_by(Score.ensemble_version)
        return dict(session.execute(query).all())


def ranks(site: Worker) -> set[tuple[bool, str | None]]:
    with site.database.read() as session:
        return set(session.execute(select(Study.flagged, Study.ensemble_version)).all())


def test_films_are_scored_beside_and_count_when_it_is_promoted(
    site: Worker, drop: Callable[..., Claim], registry: Registry, candidate: Networks
) -> None:
    bring(site, drop, *FILMS)
    assert not site.shadow_next(), "films wait"
    score_live(site)
    assert steps(site) == 0
    assert registry.loads == [shipped_version()], "nothing is due yet"
    make_due(site)
    assert steps(site) == 2, "the networks are loaded, and one batch is scored"
    assert candidate.batches == [3]
    assert scores(site) == {shipped_version(): 3, "9.9": 3}
    assert ranks(site) == {(False, shipped_version())}
    assert site.use_cases.shadow.networks.version is None, "they are let go at once"
    # It is asked once, and never again.
    make_due(site)
    assert steps(site) == 0
    assert site.notifier.notified.count(TaskName.DELIVER) == 0

    with site.database.write() as session:
        row = promote(session, "9.9", datetime.now(UTC))
    assert rank_by_active(site.use_cases.units, row) == 3
    assert ranks(site) == {(True, "9.9")}
    assert site.rescore() == 0, "nothing is scored twice"


def test_a_film_that_comes_in_waits_for_one_step_at_most(
    site: Worker, drop: Callable[..., Claim], active: Networks
) -> None:
    bring(site, drop, *FILMS[:2])
    score_live(site)
    make_due(site)
    assert site.shadow_next(), "the networks are loaded"
    bring(site, drop, FILMS[2])
    assert not site.shadow_next()
    site.prepare_next()
    assert not site.shadow_next()
    assert site.score_batch() == 1
    assert site.use_cases.shadow.networks.version == "9.9", "they are kept for what is left"
    assert site.shadow_next()
    assert scores(site) == {shipped_version(): 3, "9.9": 3}


def test_a_film_that_the_active_one_scores_again_goes_before(
    site: Worker, drop: Callable[..., Claim]
) -> None:
    bring(site, drop, FILMS[0])
    score_live(site)
    make_due(site)
    assert site.rescore(again=True) == 1
    assert not site.shadow_next()
    score_live(site)
    assert steps(site) == 2
    assert scores(site) == {shipped_version(): 1, "9.9": 1}


def test_a_night_goes_before_at_whatever_rate(site: Worker, drop: Callable[..., Claim]) -> None:
    bring(site, drop, FILMS[0])
    score_live(site)
    make_due(site)
    assert site.shadow_next(), "the networks are loaded"
    now = datetime.now(UTC)
    with site.database.write() as session:
        new = NewNight(
            day=now.date(),
            planned=True,
            ensemble_version=shipped_version(),
            left=9,
            ends_by=None,
            films_an_hour=1,
        )
        night = begin_night(session, new, now)
    assert not site.shadow_next()
    assert site.use_cases.shadow.networks.version is None, "nor is their memory needed"
    with site.database.write() as session:
        close_night(session.get_one(Night, night.id), NightEnd.FINISHED)
    assert steps(site) == 2
    assert scores(site) == {shipped_version(): 1, "9.9": 1}


def test_films_of_before_are_scored_too_and_two_shadows_take_turns(
    worker: Worker, registry: Registry, drop: Callable[..., Claim]
) -> None:
    registry.of_version["8.8"] = Networks("8.8", [0.3])
    site = Worker(worker.settings, worker.database, worker.reader, registry)
    bring(site, drop, *FILMS)
    score_live(site)
    for version in ("9.9", "8.8"):
        with_shadow(site, version)
    site.sweep_once()
    assert TaskName.SCORE in site.notifier.notified
    steps(site)
    assert registry.loads == [shipped_version(), "9.9", "8.8"], "each is loaded once"
    assert scores(site) == {shipped_version(): 3, "9.9": 3, "8.8": 3}
    for networks in registry.of_version.values():
        assert networks.batches == [3], "no batch is of two versions"


def test_networks_that_cannot_be_loaded_keep_no_film_waiting(
    site: Worker, drop: Callable[..., Claim], registry: Registry, candidate: Networks
) -> None:
    bring(site, drop, FILMS[0])
    score_live(site)
    make_due(site)
    del registry.of_version["9.9"]
    assert steps(site) == 0
    with site.database.read() as session:
        row = session.get_one(EnsembleVersion, "9.9")
        assert row.shadow_error == "Its weights are gone."
    bring(site, drop, FILMS[1])
    score_live(site)
    assert scores(site) == {shipped_version(): 2}
    registry.of_version["9.9"] = candidate
    assert steps(site) == 0, "it rests for a while"
    with site.database.write() as session:
        session.execute(update(EnsembleVersion).values(shadow_paused_until=None))
    make_due(site)
    steps(site)
    assert scores(site) == {shipped_version(): 2, "9.9": 2}
    with site.database.read() as session:
        assert session.get_one(EnsembleVersion, "9.9").shadow_error is None


def test_networks_that_fail_count_against_no_film(
    site: Worker, drop: Callable[..., Claim], candidate: Networks
) -> None:
    bring(site, drop, *FILMS)
    score_live(site)
    make_due(site)
    candidate.fails_from = 1
    steps(site)
    with site.database.read() as session:
        assert "networks fail" in (session.get_one(EnsembleVersion, "9.9").shadow_error or "")
        assert session.scalars(select(ShadowImage.given_up_at)).all() == [None] * 3
    assert scores(site) == {shipped_version(): 3}


def test_a_batch_that_fails_is_tried_film_by_film(
    site: Worker, drop: Callable[..., Claim], candidate: Networks
) -> None:
    bring(site, drop, *FILMS)
    score_live(site)
    make_due(site)
    candidate.fails_from = 2
    steps(site)
    assert scores(site) == {shipped_version(): 3}
    for _ in FILMS:
        with site.database.write() as session:
            session.execute(update(ShadowImage).values(lease_until=None))
        steps(site)
    assert scores(site) == {shipped_version(): 3, "9.9": 3}
    # The plain grey film is asked about too.
    assert candidate.batches == [1, 1, 1, 1]


def test_what_its_pixel_check_refuses_is_counted_and_changes_no_film(
    site: Worker, drop: Callable[..., Claim], candidate: Networks
) -> None:
    bring(site, drop, *FILMS[:2])
    score_live(site)
    make_due(site)
    candidate.refuses = True
    steps(site)
    assert scores(site) == {shipped_version(): 2}
    assert ranks(site) == {(False, shipped_version())}
    with site.database.read() as session:
        assert all(session.scalars(select(ShadowImage.given_up_at)).all())


def test_a_model_input_that_is_gone_is_made_anew(site: Worker, drop: Callable[..., Claim]) -> None:
    bring(site, drop, *FILMS)
    score_live(site)
    make_due(site)
    for path in site.settings.prepared_path.rglob("*.png"):
        path.unlink()
    steps(site)
    assert scores(site) == {shipped_version(): 3, "9.9": 3}
