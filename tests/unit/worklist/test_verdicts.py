"""Verdicts by the API."""

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from db.access.audit import AuditAction, entries
from db.session import Database
from tests.fixtures.worklist import NOW

SEEN = {"verdicts_seen": 0, "images_seen": 1}
FIRST = {"finding": "pneumonia", **SEEN}


def submit(client: TestClient, study: str, **body: Any) -> Response:
    answer: Response = client.post(f"/api/v1/studies/{study}/verdicts", json=FIRST | body)
    return answer


def test_a_verdict_is_given_and_read_back(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    answer = submit(client, "1.2", comment="Right lower lobe.")
    assert answer.status_code == 201, answer.text
    verdict = answer.json()
    assert verdict["agreement"] == "agrees"
    assert verdict["stands"] is True
    assert verdict["by"] is None
    assert client.get("/api/v1/studies/1.2/verdicts").json() == [verdict]
    study = client.get("/api/v1/studies/1.2").json()
    assert study["verdicts"] == [verdict]
    assert study["study"]["read_at"] == verdict["at"]
    assert study["study"]["verdict"] == verdict
    with database.read() as session:
        actions = [entry.action for entry in entries(session, limit=9)]
    assert actions == ["study_viewed", "study_viewed", AuditAction.VERDICT_GIVEN]


def test_the_worklist_tells_unread_from_read(client: TestClient, studies: dict[str, str]) -> None:
    submit(client, "1.2")

    def uids(**query: str) -> list[str]:
        rows = client.get("/api/v1/worklist", params=query).json()["studies"]
        return [row["study_instance_uid"] for row in rows]

    assert uids() == uids(show="unread") == ["1.1", "1.3", "1.4"]
    assert uids(show="read") == ["1.2"]
    assert uids(show="all") == ["1.2", "1.1", "1.3", "1.4"]
    # The older name, with a notice that it ends.
    assert uids(unread="true") == ["1.1", "1.3", "1.4"]
    assert uids(unread="false") == ["1.2"]
    assert "Deprecation" in client.get("/api/v1/worklist?unread=true").headers
    assert "Deprecation" not in client.get("/api/v1/worklist?show=unread").headers
    assert client.get("/api/v1/worklist?show=both").status_code == 422
    searched = client.post("/api/v1/worklist/search", json={"unread": False}).json()
    assert [row["study_instance_uid"] for row in searched["studies"]] == ["1.2"]
    searched = client.post("/api/v1/worklist/search", json={"show": "unread"}).json()
    assert [row["study_instance_uid"] for row in searched["studies"]] == ["1.1", "1.3", "1.4"]


def test_whoever_has_not_seen_the_last_verdict_is_told(
    client: TestClient, studies: dict[str, str]
) -> None:
    submit(client, "1.2")
    answer = submit(client, "1.2", finding="no_pneumonia")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "recorded “pneumonia” while you were reading" in answer.json()["detail"]
    assert submit(client, "1.2", finding="no_pneumonia", verdicts_seen=1).status_code == 201


def test_a_study_is_put_back_among_the_unread_ones(
    client: TestClient, studies: dict[str, str]
) -> None:
    submit(client, "1.2")
    back = {"finding": None, "withdrawn": True, "verdicts_seen": 1}
    assert submit(client, "1.2", **back).status_code == 201
    study = client.get("/api/v1/studies/1.2").json()["study"]
    assert (study["read_at"], study["verdict"], study["verdict_count"]) == (None, None, 2)


@pytest.mark.parametrize(
    "body",
    [
        {"finding": "cancer"},
        {"withdrawn": True},
        {"comment": "x" * 2001},
        {"comment": "\0"},
        {"verdicts_seen": -1},
        {"verdicts_seen": 2**40},
        {"images_seen": None},
        {"unknown": 1},
    ],
)
def test_what_is_no_verdict_is_refused(
    client: TestClient, studies: dict[str, str], body: dict[str, Any]
) -> None:
    assert submit(client, "1.2", **body).status_code == 422
    assert client.get("/api/v1/verdicts").json()["verdicts"] == []


def test_verdicts_of_no_study_are_not_found(client: TestClient, studies: dict[str, str]) -> None:
    assert submit(client, "9.9").status_code == 404
    assert client.get("/api/v1/studies/9.9/verdicts").status_code == 404


def test_all_verdicts_come_page_by_page_as_json_and_csv(
    client: TestClient, studies: dict[str, str]
) -> None:
    for study in ("1.1", "1.2", "1.3"):
        submit(client, study, comment="=SUM(A1)")
    first = client.get("/api/v1/verdicts", params={"limit": 2})
    assert [row["study_instance_uid"] for row in first.json()["verdicts"]] == ["1.3", "1.2"]
    second = client.get(first.links["next"]["url"]).json()
    assert [row["study_instance_uid"] for row in second["verdicts"]] == ["1.1"]
    assert second["next"] is None
    text = client.get("/api/v1/verdicts", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["agreement"] for row in rows] == ["", "agrees", "missed"]
    assert rows[0]["comment"] == "'=SUM(A1)"
    late = {"since": "2199-01-01T00:00:00Z"}
    assert client.get("/api/v1/verdicts", params=late).json()["verdicts"] == []
    until = {"until": NOW.isoformat()}
    assert client.get("/api/v1/verdicts", params=until).json()["verdicts"] == []


def test_the_worklist_as_csv_has_the_verdict_too(
    client: TestClient, studies: dict[str, str]
) -> None:
    submit(client, "1.2")
    answer = client.get("/api/v1/worklist", params={"format": "csv", "show": "all"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert '"finding":"pneumonia"' in rows[0]["verdict"]
    assert rows[1]["verdict"] == ""
