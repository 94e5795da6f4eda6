"""The model card of an ensemble on the page and for programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.session import Database
from models.manifest import MANIFEST_FILE, shipped_version
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.browsers import FORM, logged_in
from tests.support.ensembles import an_ensemble_folder
from tests.support.studies import NOW, a_scored_image
from worklist.app import make_app

API = "/api/v1/ensembles/{}/card"
PAGE = "/ensembles/{}/card"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of a reader. Ensemble 1 has scored a film, and its files are gone."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.2.3")
    with logged_in(make_app(settings), database, Role.READER) as opened:
        yield opened


def test_the_study_leads_to_the_card_of_each_score(client: TestClient) -> None:
    study = client.get("/studies/1.2.3").text
    assert f'href="{PAGE.format("1")}"' in study
    assert "Model card of 1" in study


def test_the_card_is_for_every_reader_and_notes_nothing(
    client: TestClient, database: Database
) -> None:
    with database.read() as session:
        before = len(entries(session, limit=100))
    answer = client.get(PAGE.format(shipped_version()))
    assert answer.status_code == 200
    for words in ("What it is not for", "Limits", "Data and licences", "SHA-256", "95 % interval"):
        assert words in answer.text
    card = client.get(API.format(shipped_version())).json()
    assert card["version"] == shipped_version()
    assert set(card["metrics"]["sensitivity"]) == {"value", "low", "high"}
    with database.read() as session:
        assert len(entries(session, limit=100)) == before


def test_an_ensemble_of_the_site_has_one_too(client: TestClient, settings: Settings) -> None:
    an_ensemble_folder(settings.ensembles_path / "s1", "s1")
    assert "Model card of ensemble s1" in client.get(PAGE.format("s1")).text
    assert client.get(API.format("s1")).json()["pixel_check"] is None


def test_a_version_whose_files_are_not_here_says_so(client: TestClient) -> None:
    page, answer = client.get(PAGE.format("1")), client.get(API.format("1"))
    assert (page.status_code, answer.status_code) == (404, 404)
    assert "The files of this ensemble are not on this machine." in page.text
    assert answer.json()["detail"] == "The files of this ensemble are not on this machine."
    assert "<script>x" not in client.get(PAGE.format("<script>x")).text


def test_a_garbled_manifest_is_no_fault_of_the_server(
    client: TestClient, settings: Settings
) -> None:
    folder: Path = an_ensemble_folder(settings.ensembles_path / "s1", "s1")
    (folder / MANIFEST_FILE).write_text("{")
    for path in (PAGE, API):
        answer = client.get(path.format("s1"))
        assert answer.status_code == 503
        assert str(settings.ensembles_path) not in answer.text


def test_what_a_manifest_says_is_marked_as_english(client: TestClient) -> None:
    client.post("/language", data=FORM | {"language": "de", "back": "/"})
    page = client.get(PAGE.format(shipped_version())).text
    assert '<span lang="en">Children of one to five years from one hospital' in page
    assert "Forschungssoftware, kein Medizinprodukt" in page
    assert '<th scope="row"><span lang="en">as it is</span></th>' in page
    assert not {"\u2068", "\u2069"} & set(page)
