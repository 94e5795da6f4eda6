"""Priors by the API, on the list, on the page of a study and at the command line."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from cli import app
from db.access.audit import AuditAction, entries
from db.session import Database
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.studies import POLICY, a_header, a_scored_image, lifecycle

NEW, OLD = "1.1", "1.2"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
WITH_PRIORS = replace(POLICY, prior_after=timedelta(days=90))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db/lifecycle/test_priors.py`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture(autouse=True)
def two_studies(database: Database) -> None:
    """A study of today, and one of the same patient that is 400 days old."""
    for study, days in {NEW: 0, OLD: 400}.items():
        header = a_header(patient_id="P1", study_datetime=NOW - timedelta(days=days))
        with lifecycle(database, NOW, WITH_PRIORS) as unit:
            a_scored_image(unit, NOW, probability=0.9, study=study, header=header)


def listed(client: TestClient, **query: str) -> list[tuple[str, bool]]:
    rows = client.get("/api/v1/worklist", params=query).json()["studies"]
    return [(row["study_instance_uid"], row["prior"]) for row in rows]


def test_the_api_says_and_filters_them(client: TestClient) -> None:
    assert listed(client) == listed(client, show="unread") == [(NEW, False)]
    assert sorted(listed(client, show="all")) == [(NEW, False), (OLD, True)]
    assert listed(client, unread="true") == [(NEW, False)]
    assert listed(client, prior="true") == [(OLD, True)]
    assert listed(client, prior="false") == [(NEW, False)]
    searched = client.post("/api/v1/worklist/search", json={"prior": True}).json()["studies"]
    assert [row["study_instance_uid"] for row in searched] == [OLD]
    assert client.get(f"/api/v1/studies/{OLD}").json()["study"]["prior"] is True


def test_the_api_gives_the_earlier_studies_with_their_images(client: TestClient) -> None:
    (prior,) = client.get(f"/api/v1/studies/{NEW}/priors").json()
    assert (prior["study_instance_uid"], prior["prior"], prior["flagged"]) == (OLD, True, True)
    (image,) = prior["images"]
    assert (image["probability"], image["flagged"], image["code"]) == (0.9, True, None)
    assert client.get(f"/api/v1/studies/{OLD}/priors").json() == []
    assert client.get("/api/v1/studies/9.9/priors").status_code == 404


def test_a_program_of_a_reader_takes_one_back(client: TestClient, database: Database) -> None:
    assert client.delete(f"/api/v1/studies/{OLD}/prior").status_code == 204
    assert sorted(listed(client, unread="true")) == [(NEW, False), (OLD, False)]
    assert client.delete(f"/api/v1/studies/{OLD}/prior").status_code == 204
    assert client.delete("/api/v1/studies/9.9/prior").status_code == 404
    with database.read() as session:
        noted = [entry.action for entry in entries(session, limit=9)]
    assert noted.count(AuditAction.PRIOR_READ_ANYWAY) == 1


def test_the_list_has_them_apart(client: TestClient) -> None:
    unread = client.get("/").text
    assert f'data-uid="{NEW}"' in unread
    assert f'data-uid="{OLD}"' not in unread
    assert "<strong>1</strong> unread" in unread
    priors = client.get("/?show=priors").text
    assert f'data-uid="{OLD}"' in priors
    assert f'data-uid="{NEW}"' not in priors
    assert '<span class="label of-prior">Prior</span>' in priors
    assert "Waiting longer" not in priors
    assert client.get("/next", follow_redirects=False).headers["location"] == f"/studies/{NEW}"
    everything = client.get("/?show=all").text
    assert f'data-uid="{OLD}"' in everything


def test_a_list_without_priors_says_so(client: TestClient) -> None:
    client.delete(f"/api/v1/studies/{OLD}/prior")
    assert "There is no prior." in client.get("/?show=priors").text


def test_an_empty_list_says_that_there_are_priors(client: TestClient) -> None:
    seen = {"verdicts_seen": 0, "images_seen": 1}
    client.post(f"/api/v1/studies/{NEW}/verdicts", json={"finding": None, **seen})
    page = client.get("/").text
    assert "Everything is read." in page
    assert "1 study came in for comparison and is a prior." in page


def test_a_reader_takes_one_back_on_its_page(client: TestClient) -> None:
    page = client.get(f"/studies/{OLD}").text
    assert "It came in for comparison" in page
    assert "Made a prior, not to be read: it was old when it came in" in page
    (token,) = set(re.findall(r'name="form_token" value="(\w*)"', page))
    address = f"/studies/{OLD}/read-anyway"
    wrong = client.post(address, data={"form_token": "no", "say": "read_anyway"}, headers=OWN_PAGE)
    assert wrong.status_code == 403
    answer = client.post(
        address, data={"form_token": token, "say": "read_anyway"}, headers=OWN_PAGE
    )
    assert answer.status_code == 200
    assert "It came in for comparison" not in answer.text
    assert "No prior any more: to be read" in answer.text
    assert f'data-uid="{OLD}"' in client.get("/").text
    unknown = client.post(
        "/studies/9.9/read-anyway",
        data={"form_token": token, "say": "read_anyway"},
        headers=OWN_PAGE,
    )
    assert unknown.status_code == 404


@pytest.fixture
def home(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_HOME", str(settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)


@pytest.mark.usefixtures("home")
def test_the_command_line_lists_them_apart() -> None:
    def rows(*options: str) -> list[str]:
        result = CliRunner().invoke(app, ["worklist", "--json", *options])
        return [row["study_instance_uid"] for row in json.loads(result.stdout)]

    assert rows() == [NEW]
    notice = CliRunner().invoke(app, ["worklist"]).stderr
    assert "Priors, which came in for comparison, are not among them: 1." in notice
    assert rows("--priors") == [OLD]
    assert sorted(rows("--all")) == [NEW, OLD]
    assert CliRunner().invoke(app, ["worklist", "--all", "--priors"]).exit_code != 0
