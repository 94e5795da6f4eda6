"""Heat maps by the API: wanted, waited for, given, and what goes wrong on the way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as PillowImage
from sqlalchemy import select

from db.access.audit import AuditAction, entries
from db.ensembles.versions import promote
from db.lifecycle.heat_maps import claim_wanted, fail, made
from db.session import Database
from db.tables import Image
from readfirst.derived_images import DerivedImages
from readfirst.heat_maps import Area, HeatMethod
from readfirst.settings import Settings
from readfirst.tasks.names import TaskName
from tests.support.studies import LEASE, NOW, an_ensemble
from worklist.app import make_app

AREA = Area(0.25, 0.0, 1.0, 0.5)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests of their own, on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def notified() -> list[TaskName]:
    """Grows with each notification."""
    return []


@pytest.fixture
def client(
    settings: Settings, database: Database, notified: list[TaskName]
) -> Iterator[TestClient]:
    with TestClient(make_app(settings, notified.append)) as opened:
        yield opened


def digest_of(database: Database, study: str) -> str:
    with database.read() as session:
        query = select(Image.sha256).where(Image.study.has(study_instance_uid=study))
        return session.scalars(query).one()


def make_next(database: Database, settings: Settings, grey: np.ndarray) -> str:
    """As a worker does, with this map. Returns the ensemble's version."""
    with database.write() as session:
        for waiting in session.scalars(select(Image).where(Image.scored_at.is_(None))):
            waiting.urgency = 2
        session.flush()
        claimed = claim_wanted(session, "1", NOW, LEASE)
        assert claimed is not None
        prepared = DerivedImages(settings.prepared_path)
        path = prepared.heat_map(claimed.sha256, claimed.ensemble_version, claimed.method)
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(grey).save(path)
        made(session, claimed, AREA, NOW)
    return claimed.ensemble_version


def test_a_heat_map_is_wanted_made_and_given(
    client: TestClient,
    database: Database,
    settings: Settings,
    studies: dict[str, str],
    notified: list[TaskName],
) -> None:
    digest = digest_of(database, studies["normal"])
    address = f"/api/v1/images/{digest}/heat-maps"
    assert client.get(address).json() == []
    assert client.get(f"{address}/lime.png").status_code == 404
    wanted = client.post(address, json={"method": "lime"})
    assert wanted.status_code == 202
    assert notified == [TaskName.SCORE]
    (heat_map,) = wanted.json()
    assert (heat_map["method"], heat_map["state"], heat_map["current"]) == ("lime", "wanted", True)
    grey = np.arange(224 * 224, dtype=np.uint8).reshape(224, 224)
    make_next(database, settings, grey)
    (heat_map,) = client.get(address).json()
    assert heat_map["state"] == "made"
    assert heat_map["area"] == {"top": 0.25, "left": 0.0, "bottom": 1.0, "right": 0.5}
    image = client.get(f"{address}/lime.png")
    assert image.headers["content-type"] == "image/png"
    known = {"if-none-match": image.headers["etag"]}
    assert client.get(f"{address}/lime.png", headers=known).status_code == 304
    # Asked for once more, there is nothing to do.
    assert client.post(address, json={"method": "lime"}).json()[0]["state"] == "made"


def test_a_flagged_film_has_its_map_wanted_already(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    digest = digest_of(database, studies["likely"])
    (heat_map,) = client.get(f"/api/v1/images/{digest}/heat-maps").json()
    assert (heat_map["method"], heat_map["state"]) == ("grad_cam", "wanted")


def test_one_that_failed_says_why_and_is_tried_again_when_asked_for(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    digest = digest_of(database, studies["normal"])
    address = f"/api/v1/images/{digest}/heat-maps"
    client.post(address, json={"method": "lime"})
    with database.write() as session:
        for waiting in session.scalars(select(Image).where(Image.scored_at.is_(None))):
            waiting.urgency = 2
        session.flush()
        claimed = claim_wanted(session, "1", NOW, LEASE)
        assert claimed is not None
        fail(session, claimed, "The original is gone.")
    (heat_map,) = client.get(address).json()
    assert (heat_map["state"], heat_map["reason"]) == ("failed", "The original is gone.")
    assert client.post(address, json={"method": "lime"}).json()[0]["state"] == "wanted"


def test_one_whose_file_is_gone_is_made_again_when_asked_for(
    client: TestClient, database: Database, settings: Settings, studies: dict[str, str]
) -> None:
    digest = digest_of(database, studies["normal"])
    address = f"/api/v1/images/{digest}/heat-maps"
    client.post(address, json={"method": "lime"})
    version = make_next(database, settings, np.zeros((224, 224), np.uint8))
    prepared = DerivedImages(settings.prepared_path)
    prepared.heat_map(digest, version, HeatMethod.LIME).unlink()
    assert client.get(f"{address}/lime.png").status_code == 404
    assert client.post(address, json={"method": "lime"}).json()[0]["state"] == "wanted"


def test_the_map_of_an_older_ensemble_says_so_and_a_new_one_can_be_had(
    client: TestClient, database: Database, settings: Settings, studies: dict[str, str]
) -> None:
    digest = digest_of(database, studies["normal"])
    address = f"/api/v1/images/{digest}/heat-maps"
    client.post(address, json={"method": "lime"})
    make_next(database, settings, np.zeros((224, 224), np.uint8))
    with database.write() as session:
        an_ensemble(session, "2")
        promote(session, "2", NOW + timedelta(days=1))
    (heat_map,) = client.get(address).json()
    assert (heat_map["ensemble_version"], heat_map["current"]) == ("1", False)
    new, old = client.post(address, json={"method": "lime"}).json()
    assert (new["ensemble_version"], new["state"]) == ("2", "wanted")
    assert old == heat_map
    assert client.get(f"{address}/lime.png", params={"ensemble": "1"}).status_code == 200
    assert client.get(f"{address}/lime.png", params={"ensemble": "2"}).status_code == 404


def test_what_has_no_score_is_not_explained(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    for kind in ("refused", "waiting"):
        address = f"/api/v1/images/{digest_of(database, studies[kind])}/heat-maps"
        answer = client.post(address, json={"method": "grad_cam"})
        assert answer.status_code == 409
        assert "was not scored" in answer.json()["detail"]
    assert (
        client.post(f"/api/v1/images/{'0' * 64}/heat-maps", json={"method": "lime"}).status_code
        == 404
    )
    address = f"/api/v1/images/{digest_of(database, studies['normal'])}/heat-maps"
    assert client.post(address, json={"method": "occlusion"}).status_code == 422


def test_who_wanted_a_heat_map_is_noted(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    digest = digest_of(database, studies["normal"])
    client.post(f"/api/v1/images/{digest}/heat-maps", json={"method": "lime"})
    with database.read() as session:
        (line,) = [
            each for each in entries(session, limit=9) if each.action == AuditAction.HEAT_MAP_WANTED
        ]
    assert line.study_instance_uid == studies["normal"]
