"""The page and the API that compare two ensembles: who may, what is noted, what they say."""

import csv
import io
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.ensembles.shadows import begin_shadow
from db.session import Database
from readfirst.access.roles import Role
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from readfirst.tasks.names import TaskName
from tests.support.browsers import logged_in
from tests.support.compared import a_compared_film
from tests.support.studies import NOW
from worklist.app import make_app

PAGE = "/admin/ensembles/compare"
API = "/api/v1/admin/ensembles/comparison"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of an admin. Ensemble 2 is in shadow, and flags other studies than 1."""
    with database.write() as session:
        for first, second, finding in (
            (0.9, 0.8, Finding.PNEUMONIA),
            (0.2, 0.7, Finding.PNEUMONIA),
            (0.8, 0.1, Finding.NO_PNEUMONIA),
            (0.1, 0.6, None),
        ):
            a_compared_film(session, first, second, finding)
        begin_shadow(session, "2", NOW)
    tasks: list[TaskName] = []
    app = make_app(settings, tasks.append)
    with logged_in(app, database, Role.ADMIN) as opened:
        yield opened


def test_the_page_compares_the_active_one_with_the_shadow_by_itself(
    client: TestClient, database: Database
) -> None:
    page = client.get(PAGE)
    assert page.status_code == 200
    for words in (
        "Both have scored 4 films of 4 studies",
        "Newly flagged by 2",
        "No longer flagged by 2",
        "ROC AUC",
        "kappa",
        "not measured",
        "2 (in shadow)",
    ):
        assert words in page.text
    rows = client.get(f"{API}/studies?first=1&second=2&change=new").json()["studies"]
    for row in rows:
        assert f'href="/studies/{row["study_instance_uid"]}"' in page.text
    with database.read() as session:
        viewed = [row for row in entries(session, limit=99) if row.action == "admin_viewed"]
    noted = {uid for row in viewed for uid in row.detail.get("studies", ())}
    assert {row["study_instance_uid"] for row in rows} <= noted, "it names studies, and says so"


def test_programs_get_the_same(client: TestClient) -> None:
    compared = client.get(f"{API}?first=1&second=2").json()
    flags = compared["flags"]
    assert [flags[name] for name in ("both", "new", "withdrawn", "neither")] == [1, 2, 1, 0]
    assert compared["second"]["state"] == "shadow"
    figures = {row["figure"]: row for row in compared["readers"]["figures"]}
    assert figures["sensitivity"]["difference"]["value"] == 0.5
    assert client.get(f"{API}?first=2&second=1").json()["flags"]["withdrawn"] == 2


def test_changed_studies_come_page_by_page_and_as_csv(client: TestClient) -> None:
    address = f"{API}/studies?first=1&second=2&change=new"
    whole = client.get(address).json()
    assert (len(whole["studies"]), whole["next"]) == (2, None)
    first = client.get(f"{address}&limit=1").json()
    second = client.get(f"{address}&limit=1&cursor={first['next']}").json()
    assert [*first["studies"], *second["studies"]] == whole["studies"]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{address}&format=csv").text)))
    assert [row["study_instance_uid"] for row in rows] == [
        row["study_instance_uid"] for row in whole["studies"]
    ]


def test_what_cannot_be_compared_is_said(client: TestClient) -> None:
    assert "is not known here" in client.get(f"{PAGE}?first=1&second=9").text
    assert client.get(f"{PAGE}?first=1&second=1").status_code == 422
    for address in (f"{API}?first=1&second=9", f"{API}/studies?first=1&second=1&change=new"):
        assert client.get(address).status_code == 422


def test_no_list_of_readers_is_filtered_by_a_shadow(client: TestClient) -> None:
    """Readers do not see what it says."""
    for ensemble, count in (("1", 2), ("2", 0)):
        rows = client.get(
            f"/api/v1/worklist?show=all&ensemble={ensemble}&probability_from=0.5"
        ).json()
        assert len(rows["studies"]) == count
