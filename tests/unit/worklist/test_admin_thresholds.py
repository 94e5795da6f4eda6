"""Thresholds as a lead changes them: the preview, the change, the way back, and what is refused."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from readfirst.access.roles import Role
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from readfirst.tasks.names import TaskName
from tests.support.browsers import FORM, logged_in
from tests.support.studies import NOW, a_scored_image, an_ensemble, give_verdict
from worklist.app import make_app

API = "/api/v1/admin/thresholds"
PREVIEW = {"method": "value", "target": "0.3", "evidence": "reference", "prevalence": ""}


@pytest.fixture
def tasks() -> list[TaskName]:
    """The tasks that the workers were told of."""
    return []


@pytest.fixture
def client(settings: Settings, database: Database, tasks: list[TaskName]) -> Iterator[TestClient]:
    """The browser of a lead. Ensemble 1 missed a pneumonia; a study of 40 % is unread."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.35, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA))
        a_scored_image(session, NOW, probability=0.4, study="1.2")
        an_ensemble(session, "2")
    app = make_app(settings, tasks.append)
    with logged_in(app, database, Role.LEAD) as opened:
        yield opened


def versions(client: TestClient) -> list[tuple[int, float, bool]]:
    rows: list[dict[str, Any]] = client.get(API).json()["thresholds"]
    return [(row["version"], row["value"], row["active"]) for row in rows]


def test_a_lead_looks_at_what_would_change_then_changes_it_and_goes_back(
    client: TestClient, database: Database, tasks: list[TaskName]
) -> None:
    preview = client.get("/admin/thresholds", params=PREVIEW)
    assert preview.status_code == 200
    text = " ".join(re.sub("<[^>]+>", " ", preview.text).split())
    assert "1 of 1 missed pneumonias would be flagged" in text
    assert "1 unread studies rise at once, and 0 lose their flag" in text
    assert versions(client) == [(1, 0.5, True)]
    (wanted,) = re.findall(r'name="wanted" value="([^"]+)"', preview.text)
    form = FORM | {"change": "choose", "ensemble": "1", "wanted": unescape(wanted)}
    answer = client.post("/admin/thresholds", data=form)
    assert "Threshold 2 of ensemble 1 is active." in answer.text
    assert tasks == [TaskName.SWEEP]
    assert versions(client) == [(2, 0.3, True), (1, 0.5, False)]
    answer = client.post("/admin/thresholds", data=FORM | {"change": "roll_back", "ensemble": "1"})
    assert "Threshold 1 of ensemble 1 is active again." in answer.text
    assert versions(client) == [(2, 0.3, False), (1, 0.5, True)]
    with database.read() as session:
        log = [(row.account, row.action) for row in entries(session, limit=99)]
    for action in ("threshold_changed", "threshold_rolled_back"):
        assert log.count(("lead", action)) == 1


def test_the_api_reports_changes_and_goes_back(client: TestClient) -> None:
    report = client.get(f"{API}/report", params={"method": "value", "target": 0.3}).json()
    assert (report["current"], report["proposed"]) == (0.5, 0.3)
    assert report["verdicts"]["missed_then_flagged"]["hits"] == 1
    wanted = {"change": "choose", "threshold": {"method": "value", "target": 0.3}}
    rows = client.post(f"{API}/changes", json=wanted).json()
    assert (rows["ensemble_version"], rows["previous"]) == ("1", 1)
    assert rows["thresholds"][0]["evidence"]["proposed"] == 0.3
    assert rows["thresholds"][0]["chosen_by"] == "lead"
    assert client.post(f"{API}/changes", json={"change": "roll_back"}).json()["previous"] == 2


def test_what_cannot_be_says_why(client: TestClient, tasks: list[TaskName]) -> None:
    target = {"method": "value", "target": 0.5}
    for wanted, words in (
        ({"change": "choose"}, "Name the threshold"),
        ({"change": "roll_back"}, "none to go back to"),
        ({"change": "choose", "ensemble": "9", "threshold": target | {"ensemble": "9"}}, "known"),
        ({"change": "choose", "threshold": target}, "is that already"),
        ({"change": "choose", "threshold": target | {"method": "sensitivity"}}, "no reference"),
        ({"change": "choose", "threshold": target | {"proposed": 0.4}}, "Look again"),
    ):
        answer = client.post(f"{API}/changes", json=wanted)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    assert client.get(f"{API}/report").status_code == 422
    params = PREVIEW | {"method": "sensitivity", "evidence": "verdicts"}
    page = client.get("/admin/thresholds", params=params)
    assert (page.status_code, "too few to choose from" in page.text) == (422, True)
    form = FORM | {"change": "choose", "wanted": "{"}
    assert client.post("/admin/thresholds", data=form).status_code == 422
    assert client.post("/admin/thresholds", data={"change": "roll_back"}).status_code == 403
    assert tasks == []
    assert versions(client) == [(1, 0.5, True)]


def test_the_lead_is_led_to_it_and_sees_no_other_page_of_the_site(client: TestClient) -> None:
    monitoring = client.get("/watching", params={"tab": "readers"}).text
    assert 'href="/admin/thresholds"' in monitoring
    page = client.get("/admin/thresholds").text
    assert 'href="/admin/accounts"' not in page
    assert client.get("/admin/ensembles").status_code == 403
