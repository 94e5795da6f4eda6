"""Ensembles as an administrator changes them: forms, API, what is noted, what workers are told."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from db.access.audit import entries
from db.nights.running import NewNight, begin_night
from db.session import Database
from db.tables import EnsembleVersion
from readfirst.access.roles import Role
from readfirst.settings import Settings
from readfirst.tasks.names import TaskName
from tests.support.browsers import FORM, logged_in
from tests.support.studies import NOW, a_scored_image, an_ensemble
from worklist.app import make_app

API = "/api/v1/admin/ensembles"


@pytest.fixture
def tasks() -> list[TaskName]:
    """The tasks that the workers were told of."""
    return []


@pytest.fixture
def client(settings: Settings, database: Database, tasks: list[TaskName]) -> Iterator[TestClient]:
    """The browser of an admin. Ensemble 1 has scored a film; 2 is a candidate."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
        an_ensemble(session, "2")
    app = make_app(settings, tasks.append)
    with logged_in(app, database, Role.ADMIN) as opened:
        yield opened


def change(client: TestClient, change: str, version: str = "") -> tuple[int, str]:
    form = FORM | {"change": change, "version": version}
    answer = client.post("/admin/ensembles", data=form)
    return answer.status_code, answer.text


def states(client: TestClient) -> dict[str, Any]:
    return {row["version"]: row["state"] for row in client.get(API).json()["ensembles"]}


def test_one_is_promoted_scores_the_rest_and_is_rolled_back(
    client: TestClient, database: Database, tasks: list[TaskName]
) -> None:
    assert states(client) == {"1": "active", "2": "candidate"}
    assert client.get(API).json()["previous"] is None
    status, page = change(client, "promote", "2")
    assert (status, "Ensemble 2 is active." in page, tasks) == (200, True, [TaskName.RANK])
    tasks.clear()
    assert states(client) == {"2": "active", "1": "retired"}
    assert client.get(API).json()["progress"] == {"images": 1, "scored": 0, "queued": 0}
    assert "Score the rest now" in page
    assert change(client, "rescore")[0] == 200
    assert tasks == [TaskName.NIGHTLY]
    assert "Ensemble 1 is active again." in change(client, "roll_back")[1]
    assert tasks == 2 * [TaskName.NIGHTLY]
    assert states(client) == {"1": "active", "2": "retired"}
    with database.read() as session:
        log = [(row.account, row.action) for row in entries(session, limit=99)]
    for action in ("ensemble_promoted", "rescoring_wanted", "ensemble_rolled_back"):
        assert log.count(("admin", action)) == 1


def test_what_cannot_be_is_said(client: TestClient) -> None:
    for wanted, words in (
        (("retire", "1"), "is the active one"),
        (("promote", "9"), "is not known here"),
        (("promote", ""), "Name the version"),
        (("roll_back", ""), "none to go back to"),
    ):
        status, page = change(client, *wanted)
        assert status == 422
        assert words in page
    assert states(client) == {"1": "active", "2": "candidate"}
    assert change(client, "retire", "2")[0] == 200
    assert states(client)["2"] == "retired"


def test_programs_do_the_same(client: TestClient) -> None:
    token = {"X-Form-Token": FORM["form_token"]}
    wanted = {"change": "promote", "version": "2"}
    done = client.post(f"{API}/changes", json=wanted, headers=token)
    assert [row["version"] for row in done.json()["ensembles"]] == ["2", "1"]
    wrong = client.post(f"{API}/changes", json=wanted | {"version": "9"}, headers=token)
    assert wrong.status_code == 422
    assert client.post("/admin/ensembles", data={"change": "rescore"}).status_code == 403


def test_one_scores_in_shadow_and_no_more(
    client: TestClient, database: Database, tasks: list[TaskName]
) -> None:
    status, page = change(client, "shadow", "2")
    assert (status, "Ensemble 2 scores in shadow" in page) == (200, True)
    assert tasks == [TaskName.SCORE]
    assert states(client) == {"1": "active", "2": "shadow"}
    (row,) = [row for row in client.get(API).json()["ensembles"] if row["version"] == "2"]
    assert row["shadow"] | {"since": None} == {
        "since": None,
        "images": 1,
        "scored": 0,
        "given_up": 0,
        "error": None,
    }
    assert "0 of 1 images" in page
    assert "Stop shadow" in page
    with database.write() as session:
        session.get_one(EnsembleVersion, "2").shadow_error = "Its weights are gone."
    assert "Its weights are gone." in client.get("/admin/ensembles").text
    assert change(client, "shadow", "1")[0] == 422
    assert "is a candidate again" in change(client, "end_shadow", "2")[1]
    assert states(client) == {"1": "active", "2": "candidate"}
    assert change(client, "end_shadow", "2")[0] == 422
    with database.read() as session:
        log = [(row.account, row.action) for row in entries(session, limit=99)]
    for action in ("shadow_begun", "shadow_ended"):
        assert log.count(("admin", action)) == 1


def test_nights_are_listed_and_the_one_that_runs_is_stopped(
    client: TestClient, database: Database
) -> None:
    assert client.get(API).json()["nights"] == []
    change(client, "promote", "2")
    with database.write() as session:
        new = NewNight(day=NOW.date(), planned=True, ensemble_version="2", left=1)
        begin_night(session, new, NOW)
    site = client.get(API).json()
    assert [(row["ensemble"], row["running"], row["left"]) for row in site["nights"]] == [
        ("2", True, 1)
    ]
    assert (site["outlook"]["left"], site["outlook"]["through"]) == (1, None)
    page = client.get("/admin/ensembles").text
    assert "1 image left to score again. The first night will tell how long that takes." in page
    assert "Stop the night" in page
    status = client.get("/api/v1/admin/status").json()
    assert status["outlook"]["running"]["ensemble"] == "2"
    assert "1 image left to score again" in client.get("/admin").text
    assert "The night is stopped." in change(client, "stop_night")[1]
    assert "Stop the night" not in client.get("/admin/ensembles").text
    status_code, page = change(client, "stop_night")
    assert (status_code, "No night runs now" in page) == (422, True)
