from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from db.lifecycle.rescoring import make_ready_again
from db.monitoring.queue_metrics import times_to_score
from db.session import Database
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.studies import a_ready_image, an_ensemble, score_ready, unit_at
from worklist.app import make_app

HOUR = timedelta(hours=1)


def checks(client: TestClient) -> dict[str, bool]:
    return {check["name"]: check["well"] for check in client.get("/readyz").json()["checks"]}


def test_alive_is_whatever_answers(client: TestClient, database: Database) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    with database.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert not checks(client)["database"]


def test_ready_is_with_schema_room_and_ensemble_and_without_a_broker(
    client: TestClient, database: Database
) -> None:
    before = client.get("/readyz")
    assert before.status_code == 503
    others = {"database": True, "disk": True, "work": True, "broker": False}
    assert checks(client) == others | {"ensemble": False}
    with database.write() as session:
        an_ensemble(session)
    after = client.get("/readyz")
    assert (after.status_code, after.json()["ready"]) == (200, True)
    assert checks(client) == others | {"ensemble": True}


def test_a_full_disk_is_not_ready(settings: Settings, database: Database) -> None:
    with database.write() as session:
        an_ensemble(session)
    full = settings.model_copy(update={"min_free_megabytes": 10**9})
    with TestClient(make_app(full)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Intake paused" in answer.text


@pytest.mark.parametrize("what", ["a file", "gone"])
def test_an_inbox_that_cannot_be_used_is_not_ready_and_on_the_page(
    settings: Settings, database: Database, what: str
) -> None:
    with database.write() as session:
        an_ensemble(session)
    with TestClient(make_app(settings)) as client:
        assert client.get("/readyz").status_code == 200
        kept = settings.inbox_path.with_name("kept")
        settings.inbox_path.rename(kept)
        if what == "a file":
            settings.inbox_path.touch()
        sentence = f"{settings.inbox_path} is {'no folder' if what == 'a file' else 'not there'}."
        answer, page = client.get("/readyz"), client.get("/")
        assert answer.status_code == 503
        assert sentence in answer.text
        assert (page.status_code, sentence in page.text) == (200, True)
        settings.inbox_path.unlink(missing_ok=True)
        kept.rename(settings.inbox_path)
        assert client.get("/readyz").status_code == 200
        assert "cannot be used" not in client.get("/").text


def test_metrics_tell_what_the_database_holds_and_nobody_s_name(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    metrics = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert metrics["readfirst_images", "scored"] == 2
    assert metrics["readfirst_images", "refused"] == 1
    assert metrics["readfirst_images_refused", "truncated"] == 1
    assert metrics["readfirst_studies",] == 4
    assert metrics["readfirst_studies_flagged",] == 1
    assert metrics["readfirst_oldest_waiting_seconds", "ready"] == 0
    assert metrics["readfirst_oldest_waiting_seconds", "received"] > 0
    assert metrics["readfirst_first_scores", "1h"] == 2
    assert metrics["readfirst_arrival_to_score_seconds", "0.95", "1h"] == 0
    assert metrics["readfirst_ensemble_active", "1"] == 1
    for secret in ("Lucía", "P-1", "1.2", "cnn"):
        assert f'"{secret}' not in answer.text


def test_the_time_to_a_score_is_that_of_the_first_one(database: Database) -> None:
    with database.write() as session:
        for minutes in range(1, 101):
            image = a_ready_image(session, NOW - timedelta(minutes=minutes))
            score_ready(session, NOW, {image.id: 0.1})
        again = make_ready_again(unit_at(session), an_ensemble(session, "2"), limit=100)
        score_ready(session, NOW + HOUR, dict.fromkeys(again, 0.1), version="2")
    with database.read() as session:
        times = times_to_score(session, NOW + 2 * HOUR, [HOUR, 24 * HOUR])
    assert times[HOUR].quantile(0.5) is None, "scored again is not scored first"
    day = times[24 * HOUR]
    assert [day.quantile(share) for share in (0.5, 0.95, 0.99)] == [51 * 60, 96 * 60, 100 * 60]
