"""A silent site says so on each page, and shows nobody what the AI says of a study."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from starlette.types import Message, Scope

from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from readfirst.access.roles import Role
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.browsers import OWN, logged_in
from tests.support.people import TOKEN
from tests.support.studies import NOW, a_scored_image, give_verdict
from worklist.app import make_app
from worklist.services.streams import Streams

BANNER = "Silent mode: the AI scores every film"


@pytest.fixture
def digests() -> list[str]:
    """The films of the studies 1.1 and 1.2, which was read."""
    return []


@pytest.fixture
def client(settings: Settings, database: Database, digests: list[str]) -> Iterator[TestClient]:
    """The browser of a lead, at a site in silent mode."""
    with database.write() as session:
        digests += [
            a_scored_image(session, NOW, probability=0.877, study=uid).sha256
            for uid in ("1.1", "1.2")
        ]
        give_verdict(session, "1.2", VerdictInput(finding=Finding.PNEUMONIA))
    app = make_app(settings.model_copy(update={"mode": "silent"}))
    with logged_in(app, database, Role.LEAD) as opened:
        yield opened


def test_no_page_of_a_study_shows_what_the_ai_says(client: TestClient) -> None:
    for path in (
        "/",
        "/?show=all",
        "/studies/1.1",
        "/studies/1.2",
        "/studies/1.2/preview",
        "/studies/1.2/film",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        for text in ("88 %", "87.7", "0.877", "Pneumonia likely", "missed by the AI"):
            assert text not in page.text, (path, text)
    assert BANNER in client.get("/").text
    for path in ("/", "/studies/1.1", "/watching", "/refused"):
        assert '<p class="silent">Silent mode</p>' in client.get(path).text
    assert 'class="of-flagged"' not in client.get("/").text


def test_the_api_shows_it_to_no_program(client: TestClient, digests: list[str]) -> None:
    client.cookies.clear()
    program = {"Authorization": f"Bearer {TOKEN}"}
    rows = client.get("/api/v1/worklist?show=all", headers=program).json()["studies"]
    assert len(rows) == 2
    for row in rows:
        assert (row["flagged"], row["probability"], row["ai_hidden"]) == (False, None, True)
        assert row["why"] == "The AI is silent: it scores, and nothing ranks by it"
    detail = client.get("/api/v1/studies/1.2", headers=program)
    assert detail.json()["scores"] == []
    assert "0.877" not in detail.text
    (verdict,) = detail.json()["verdicts"]
    assert (verdict["finding"], verdict["agreement"], verdict["flagged"]) == (
        "pneumonia",
        None,
        None,
    )
    assert client.get("/api/v1/worklist?flagged=true", headers=program).status_code == 409
    maps = client.get(f"/api/v1/images/{digests[1]}/heat-maps", headers=program)
    assert maps.status_code == 403


def test_a_verdict_of_a_silent_time_tells_nothing(client: TestClient, digests: list[str]) -> None:
    body = {
        "finding": "pneumonia",
        "verdicts_seen": 0,
        "images_seen": 1,
        "displayed_image": digests[0],
    }
    posted = client.post("/api/v1/studies/1.1/verdicts", json=body)
    assert posted.status_code == 201
    listed = client.get("/api/v1/verdicts")
    for answer in (posted, listed, client.get("/api/v1/studies/1.2/verdicts")):
        assert "0.877" not in answer.text
    assert len(listed.json()["verdicts"]) == 2


def test_the_stream_of_events_says_nothing_of_it(client: TestClient, database: Database) -> None:
    async def still_there() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def sent(*, silent: bool) -> str:
        streams = Streams(database, longest_seconds=0.05, silent=silent)
        scope: Scope = {"type": "http", "headers": []}
        stream = await streams.start(0)
        request = Request(scope, still_there)
        return "".join([text.decode() async for text in streams.follow(stream, request)])

    live, silent = (asyncio.run(sent(silent=each)) for each in (False, True))
    assert "0.877" in live
    assert "event: flagged" in live
    for text in ("0.877", "flagged", "agreement"):
        assert text not in silent
    assert "event: scored" in silent


def test_the_lead_sees_scores_in_the_reports(client: TestClient) -> None:
    figures = client.get("/api/v1/watching/verdicts?from=2026-03-01&to=2026-03-02").json()
    assert any(row["measure"] == "ppv" and row["hits"] == 1 for row in figures)


def test_a_live_site_says_nothing_of_it(settings: Settings, database: Database) -> None:
    with TestClient(make_app(settings), headers=OWN) as client:
        page = client.get("/").text
    assert BANNER not in page
    assert 'class="silent"' not in page
