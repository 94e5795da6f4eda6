"""Acceptance as a lead does it: a report of the verdicts, its file, and one signature."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.ensembles.acceptance import labels_text
from db.ensembles.versions import register
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from models.manifest import available_ensembles, load_manifest, shipped_version
from readfirst.access.roles import Role
from readfirst.language.languages import language_of
from readfirst.language.texts import speaking
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.browsers import FORM, logged_in
from tests.support.studies import NOW, a_header, a_ready_image, give_verdict, score_ready
from worker.scoring.ensemble_registry import facts
from worklist.app import make_app

PAGE, API = "/admin/acceptance", "/api/v1/admin/acceptances"


def a_read_study(database: Database, number: int, probability: float, finding: Finding) -> None:
    version = shipped_version()
    with database.write() as session:
        register(session, facts(load_manifest(available_ensembles(Path())[version])), NOW)
        header = a_header(patient_name="Doe^Jane")
        image = a_ready_image(session, NOW, study=f"1.{number}", header=header)
        score_ready(session, NOW, {image.id: probability}, version=version)
        give_verdict(session, f"1.{number}", VerdictInput(finding=finding))


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of a lead. A pneumonia is found."""
    a_read_study(database, 1, 0.97, Finding.PNEUMONIA)
    with logged_in(make_app(settings), database, Role.LEAD) as opened:
        yield opened


def test_a_lead_makes_a_report_takes_its_file_and_signs_it_once(
    client: TestClient, database: Database
) -> None:
    refused = client.post(PAGE, data=FORM)
    assert (refused.status_code, "needs studies with and without" in refused.text) == (422, True)
    a_read_study(database, 2, 0.1, Finding.NO_PNEUMONIA)
    assert "Report 1 is made of 2 studies." in client.post(PAGE, data=FORM).text
    file = client.get(f"{PAGE}/1.html")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert "Not signed." in file.text
    assert "Doe" not in file.text
    assert client.get(f"{PAGE}/9.html").status_code == 404
    signed = client.post(PAGE, data=FORM | {"number": "1"})
    assert "Report 1 is signed." in signed.text
    assert "Accepted by lead" in signed.text
    again = client.post(PAGE, data=FORM | {"number": "1"})
    assert (again.status_code, "has been signed by lead" in again.text) == (422, True)
    assert client.post(PAGE, data={"number": "1"}).status_code == 403
    with database.read() as session:
        log = [(line.account, line.action) for line in entries(session, limit=99)]
    assert log.count(("lead", "acceptance_signed")) == 1


def test_the_api_does_the_same(client: TestClient, database: Database) -> None:
    assert client.post(API).status_code == 422
    a_read_study(database, 2, 0.1, Finding.NO_PNEUMONIA)
    made = client.post(API)
    assert (made.status_code, made.json()["made_by"]) == (201, "lead")
    signed = client.post(f"{API}/1/signature").json()
    assert signed["signed_by"] == "lead"
    assert client.post(f"{API}/1/signature").status_code == 422
    assert client.post(f"{API}/7/signature").status_code == 404
    listed = client.get(API).json()
    assert (listed["active"], len(listed["reports"])) == (shipped_version(), 1)


def test_report_and_refusal_are_in_the_language_of_the_page(
    client: TestClient, database: Database
) -> None:
    client.post("/language", data=FORM | {"language": "de", "back": "/"})
    refused = client.post(PAGE, data=FORM).text
    assert "Eine Abnahme braucht Untersuchungen mit und ohne" in refused
    a_read_study(database, 2, 0.1, Finding.NO_PNEUMONIA)
    client.post(PAGE, data=FORM)
    file = client.get(f"{PAGE}/1.html").text
    assert '<html lang="de">' in file
    assert "Nicht unterschrieben." in file
    assert "die Befunde dieses Hauses." in file
    assert client.get(API).json()["reports"][0]["report"]["labels"] == "the verdicts of readers."


def test_what_became_of_labels_is_told_in_each_language() -> None:
    kept = "a table of 9 studies; 2 labels are of no study here, 1 studies have two labels."
    assert labels_text(kept) == kept
    with speaking(language_of("de")):
        assert labels_text(kept) == (
            "eine Tabelle mit 9 Untersuchungen; 2 Diagnosen gehören zu keiner Untersuchung hier, "
            "1 Untersuchungen haben zwei Diagnosen."
        )
        assert labels_text("a list of our own.") == "a list of our own."


def test_the_lead_is_led_to_it(client: TestClient) -> None:
    assert f'href="{PAGE}"' in client.get("/watching?tab=readers").text
    assert f'href="{PAGE}"' in client.get("/admin/thresholds").text
