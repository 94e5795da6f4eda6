"""The next unread study, for programs and for the page without scripts."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from db.access.audit import AuditAction, entries
from db.session import Database

PATH = "/api/v1/worklist/next"


def test_it_is_found_behind_a_study_and_says_why(
    client: TestClient, studies: dict[str, str]
) -> None:
    answer = client.post(PATH, json={})
    assert answer.json() == {"study_instance_uid": "1.2", "reason": "behind"}
    answer = client.post(PATH, json={"after": "1.2", "visited": ["1.2", "1.1"]})
    assert answer.json() == {"study_instance_uid": "1.3", "reason": "behind"}
    answer = client.post(PATH, json={"after": "1.4", "visited": ["1.4"]})
    assert answer.json() == {"study_instance_uid": "1.2", "reason": "from_top"}
    for uid in studies.values():
        seen = {"verdicts_seen": 0, "images_seen": 1}
        assert client.post(f"/api/v1/studies/{uid}/verdicts", json=seen).status_code == 201
    assert client.post(PATH, json={"after": "1.4"}).json() is None


def test_what_it_names_is_noted(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    client.post(PATH, json={"after": "1.2"})
    with database.read() as session:
        entry = entries(session, limit=1, study_instance_uid="1.1")[0]
    assert entry.action == AuditAction.LIST_VIEWED
    assert entry.at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "body", [{"after": "x"}, {"visited": ["1.1", "Lopez"]}, {"visited": ["1"] * 1001}, {"but": "1"}]
)
def test_what_is_no_study_is_refused(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post(PATH, json=body)
    assert answer.status_code == 422
    assert "Lopez" not in answer.text


def test_the_page_leads_on_without_scripts(client: TestClient, studies: dict[str, str]) -> None:
    def onward(**query: str) -> str:
        return str(client.get("/next", params=query, follow_redirects=False).headers["location"])

    assert onward(after="1.2") == "/studies/1.1"
    assert onward(after="1.1") == "/studies/1.3"
    assert onward(after="1.4") == "/studies/1.2"
    assert onward(after="\0") == "/studies/1.2"
    assert onward(but="1.2") == "/studies/1.1"
