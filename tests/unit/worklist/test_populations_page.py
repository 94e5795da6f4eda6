"""Further populations on the pages of the administrator and of a study, and for programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.ensembles.versions import EnsembleFacts, register
from db.lifecycle.scoring import record
from db.lifecycle.work import claim_ready
from db.session import Database
from models.manifest import MANIFEST_FILE, load_manifest
from readfirst.access.roles import Role
from readfirst.domain import ImageScore
from readfirst.settings import Settings
from tests.support.browsers import logged_in
from tests.support.populations import a_population
from tests.support.studies import NOW, a_ready_image, lifecycle
from worklist.app import make_app


@pytest.fixture
def client(settings: Settings, database: Database, shipped_folder: Path) -> Iterator[TestClient]:
    """The browser of an admin. Ensemble s1 has adults, and has scored a film of one."""
    folder = settings.ensembles_path / "s1"
    folder.mkdir(parents=True)
    changes = {"version": "s1", "populations": (a_population(),)}
    manifest = load_manifest(shipped_folder).model_copy(update=changes)
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    facts = EnsembleFacts("s1", 0.9, "1", manifest.prevalence, {"adults": 0.62})
    with database.write() as session:
        register(session, facts, NOW)
        a_ready_image(session, NOW, study="1.2.3")
    with lifecycle(database) as unit:
        (claimed,) = claim_ready(unit, 1, "1")
        score = ImageScore(0.7, {"cnn": 0.7}, population="adults")
        record(unit, [(claimed, score)], register(unit.session, facts, NOW))
    with logged_in(make_app(settings), database, Role.ADMIN) as opened:
        yield opened


def test_figures_and_threshold_of_a_population_are_listed(client: TestClient) -> None:
    page = client.get("/admin/ensembles").text
    for words in ("Ensemble s1: adults", "everything else", "53 against 102", "threshold 62"):
        assert words in page
    (row,) = client.get("/api/v1/admin/ensembles").json()["ensembles"]
    (adults,) = row["populations"]
    assert (adults["name"], adults["threshold"], adults["patients"]) == ("adults", 0.62, 132)
    assert adults["figures"]["normal"]["sensitivity"] == {"value": 0.9, "low": 0.8, "high": 1.0}


def test_the_thresholds_say_what_a_site_does_not_choose(client: TestClient) -> None:
    page = client.get("/admin/thresholds").text
    assert "keep the threshold with which the ensemble came: adults 0.6200" in page
    others = client.get("/api/v1/admin/thresholds").json()["others"]
    assert [(row["population"], row["value"]) for row in others] == [("adults", 0.62)]


def test_the_population_is_named_with_the_score(client: TestClient) -> None:
    assert "ensemble s1, adults" in " ".join(client.get("/studies/1.2.3").text.split())
    study = client.get("/api/v1/studies/1.2.3").json()
    row = study.get("study", study)
    assert row["population"] == "adults"
    assert row["flagged"] is True
