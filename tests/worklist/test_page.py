from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst import DISCLAIMER
from readfirst.errors import Refused
from readfirst.prepared import PreparedImages
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from tests.db.builders import a_header, a_scored_image, an_image
from worklist.app import make_app

NOW = datetime.now(UTC)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


@pytest.fixture
def studies(database: Database) -> dict[str, str]:
    """Four studies by what they show: their Study Instance UIDs."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        named = a_header(patient_name="<b>Díaz^Lucía", patient_id="P-1", patient_sex="F")
        a_scored_image(session, NOW, probability=0.97, study="1.2", header=named)
        an_image(session, NOW, study="1.3", refusal=Refused(RefusalCode.TRUNCATED))
        an_image(session, NOW, study="1.4")
    return {"normal": "1.1", "likely": "1.2", "refused": "1.3", "waiting": "1.4"}


def test_the_page_shows_the_reading_order(client: TestClient, studies: dict[str, str]) -> None:
    page = client.get("/").text
    places = [page.index(f'id="study-{uid}"') for uid in ("1.2", "1.1", "1.3", "1.4")]
    assert places == sorted(places)
    assert "97 %" in page
    assert "0.97 reaches the threshold 0.50" in page
    assert DISCLAIMER in page


def test_what_is_not_scored_is_shown_as_such_and_never_as_low(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/").text
    refused = page[page.index('id="study-1.3"') :]
    assert "The file ends before its image does" in refused
    assert "not scored" in refused
    assert "0 %" not in refused


def test_names_from_files_are_text_and_not_markup(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/").text
    assert "&lt;b&gt;Díaz, Lucía" in page
    assert "<b>D" not in page


def test_the_rows_refresh_by_themselves(client: TestClient, studies: dict[str, str]) -> None:
    assert 'hx-get="/rows"' in client.get("/").text
    rows = client.get("/rows?flagged=true").text
    assert "study-1.2" in rows
    assert "study-1.1" not in rows
    assert "<html" not in rows


def test_the_api_gives_the_same_order(client: TestClient, studies: dict[str, str]) -> None:
    rows = client.get("/api/worklist").json()
    assert [row["study_instance_uid"] for row in rows] == ["1.2", "1.1", "1.3", "1.4"]
    assert rows[0]["probability"] == 0.97
    assert rows[2]["probability"] is None
    assert rows[2]["images"][0]["code"] == "truncated"
    assert [r["study_instance_uid"] for r in client.get("/api/worklist?flagged=1").json()] == [
        "1.2"
    ]
    assert client.get("/api/worklist?limit=1").json() == rows[:1]


def test_the_api_gives_a_study_with_its_history(
    client: TestClient, studies: dict[str, str]
) -> None:
    study = client.get("/api/studies/1.2").json()
    assert study["scores"][0]["probability"] == 0.97
    assert [event["action"] for event in study["events"]] == ["received", "ready", "scored"]
    assert client.get("/api/studies/9.9").status_code == 404


def test_the_api_lists_refusals(client: TestClient, studies: dict[str, str]) -> None:
    (refused,) = client.get("/api/refused").json()
    assert refused["code"] == "truncated"
    assert refused["study_instance_uid"] == "1.3"


def test_the_api_counts_refusals_and_filters_them(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        for _ in range(2):
            an_image(session, NOW, refusal=Refused(RefusalCode.VIEW_NOT_FRONTAL))
    counts = client.get("/api/refused/counts").json()
    assert list(counts.items()) == [("view_not_frontal", 2), ("truncated", 1)]
    rows = client.get("/api/refused?code=view_not_frontal").json()
    assert {row["code"] for row in rows} == {"view_not_frontal"}
    assert len(client.get("/api/refused?limit=2").json()) == 2
    assert client.get("/api/refused?since=2999-01-01T00:00:00Z").json() == []
    assert client.get("/api/refused?code=nothing").status_code == 422


def test_the_page_of_refusals_shows_codes_counts_and_reasons(
    client: TestClient, studies: dict[str, str]
) -> None:
    assert 'href="/refused"' in client.get("/").text
    page = client.get("/refused").text
    assert "<code>truncated</code> 1" in page
    assert "The file ends before its image does" in page
    empty = client.get("/refused?code=too_large").text
    assert "Nothing was refused as" in empty
    assert client.get("/refused?code=nothing").status_code == 422


def test_a_time_without_zone_is_asked_back(client: TestClient) -> None:
    assert client.get("/api/worklist", params={"since": "2026-01-01T00:00:00"}).status_code == 422


def test_thumbnails_are_served_by_digest_and_nothing_else_is(
    client: TestClient, settings: Settings
) -> None:
    digest = "ab" * 32
    path = PreparedImages(settings.prepared_path).thumbnail(digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x89PNG")
    assert client.get(f"/thumbnails/{digest}.png").content == b"\x89PNG"
    assert client.get(f"/thumbnails/{'cd' * 32}.png").status_code == 404
    assert client.get("/thumbnails/..%2f..%2freadfirst.png").status_code == 404


def test_nothing_may_be_loaded_from_elsewhere(client: TestClient) -> None:
    response = client.get("/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "http://" not in response.text.replace("http://www.w3.org", "")
    assert "https://" not in response.text
    assert response.headers["cache-control"] == "no-store"


def test_an_empty_worklist_says_where_to_drop_files(client: TestClient, settings: Settings) -> None:
    assert str(settings.inbox_path) in client.get("/").text


def test_health_tells_whether_the_database_is_well(client: TestClient, settings: Settings) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


def test_a_disk_without_room_is_said_on_the_page_and_to_machines(
    settings: Settings, database: Database
) -> None:
    full = settings.model_copy(update={"min_free_megabytes": 10**9})
    with TestClient(make_app(full)) as client:
        assert "Intake is paused" in client.get("/").text
        assert "Intake is paused" in client.get("/rows").text
        assert client.get("/healthz").json()["intake"] == "paused"
    with TestClient(make_app(settings)) as client:
        assert "Intake is paused" not in client.get("/").text
        assert client.get("/healthz").json()["intake"] == "open"
