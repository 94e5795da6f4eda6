"""Scope rules on the administrator's page, and what they say of a film that is dropped there."""

import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from fastapi.testclient import TestClient

from db.access.audit import AuditAction, entries
from db.session import Database
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from worklist.app import make_app

EXPLAIN, PAGE = "/api/v1/admin/rules/explanation", "/admin/rules/explanation"
FILM = FOLDER / "study-01.dcm"


def altered(folder: Path, **attributes: Any) -> Path:
    """A film with other attributes."""
    dataset = pydicom.dcmread(FILM)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    path = folder / "altered.dcm"
    dataset.save_as(path)
    return path


def explained(client: TestClient, path: Path) -> Any:
    with path.open("rb") as file:
        answer = client.post(EXPLAIN, files={"file": (path.name, file)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def decisive(explanation: Any) -> list[str]:
    return [row["rule"] for row in explanation["findings"] if row["decides"]]


def test_each_outcome_names_the_rule_that_decides(client: TestClient, tmp_path: Path) -> None:
    normal = explained(client, FILM)
    assert (normal["outcome"], decisive(normal)) == ("scored", [])
    hand = explained(client, altered(tmp_path, BodyPartExamined="HAND"))
    assert (hand["outcome"], decisive(hand)) == ("refused", ["body_part"])
    assert hand["code"] is not None
    assert hand["reason"]
    unknown = explained(client, altered(tmp_path, PatientAge="", PatientBirthDate=""))
    assert (unknown["outcome"], decisive(unknown)) == ("marked", ["age"])
    torn = tmp_path / "torn.dcm"
    torn.write_bytes(FILM.read_bytes()[:200])
    refused = explained(client, torn)
    assert (refused["outcome"], refused["findings"]) == ("refused", [])


def test_a_film_that_is_explained_is_not_kept_and_does_not_come_in(
    client: TestClient, settings: Settings, database: Database
) -> None:
    explained(client, FILM)
    with FILM.open("rb") as file:
        page = client.post(PAGE, files={"file": ("secret name.dcm", file)})
    assert "would be scored" in page.text
    assert "secret name" not in page.text
    assert list((settings.home_path / "explained").iterdir()) == []
    assert client.get("/api/v1/worklist").json()["studies"] == []
    with database.read() as session:
        actions = [row.action for row in entries(session, limit=10)]
    assert actions.count(AuditAction.FILM_EXPLAINED) == 2
    assert client.post(PAGE).status_code == 422


def test_what_a_process_that_died_has_left_is_removed_at_the_start(settings: Settings) -> None:
    left = settings.home_path / "explained" / "left"
    left.parent.mkdir(parents=True)
    shutil.copy(FILM, left)
    with TestClient(make_app(settings)):
        assert not left.exists()


def test_the_rules_name_their_source(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    own = tmp_path / "scope.toml"
    own.write_text('[body_part]\nrefuse = ["HAND"]\n[age]\nadult_years = 21\n')
    with TestClient(make_app(settings.model_copy(update={"scope": own}))) as client:
        rules = client.get("/api/v1/admin/rules").json()
        page = client.get("/admin/rules").text
    of_site = {(part["rule"], part["key"]) for part in rules["parts"] if part["source"] == "site"}
    assert of_site == {("body_part", "refuse"), ("age", "adult_years")}
    assert rules["file"] == str(own)
    assert str(own) in page
    with TestClient(make_app(settings)) as client:
        assert client.get("/api/v1/admin/rules").json()["file"] is None
        assert "come with ReadFirst" in client.get("/admin/rules").text


def test_rules_that_cannot_be_read_are_said_to_be_so(settings: Settings, tmp_path: Path) -> None:
    with TestClient(make_app(settings.model_copy(update={"scope": tmp_path / "gone"}))) as client:
        assert client.get("/api/v1/admin/rules").status_code == 503
        page = client.get("/admin/rules")
        assert (page.status_code, "READFIRST_SCOPE" in page.text) == (200, True)
        with FILM.open("rb") as file:
            assert client.post(EXPLAIN, files={"file": file}).status_code == 503


@pytest.mark.usefixtures("database")
def test_a_film_larger_than_other_requests_is_taken(client: TestClient, tmp_path: Path) -> None:
    large = tmp_path / "large.dcm"
    large.write_bytes(FILM.read_bytes() + bytes(200_000))
    assert explained(client, large)["outcome"] in ("scored", "marked", "refused")
