from fastapi.testclient import TestClient
from sqlalchemy import text

from db.session import Database
from readfirst.settings import Settings
from tests.db.builders import an_ensemble
from worklist.app import make_app


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
    assert checks(client) == {"database": True, "disk": True, "ensemble": False, "broker": False}
    with database.write() as session:
        an_ensemble(session)
    after = client.get("/readyz")
    assert (after.status_code, after.json()["ready"]) == (200, True)
    assert checks(client) == {"database": True, "disk": True, "ensemble": True, "broker": False}


def test_a_full_disk_is_not_ready(settings: Settings, database: Database) -> None:
    with database.write() as session:
        an_ensemble(session)
    full = settings.model_copy(update={"min_free_megabytes": 10**9})
    with TestClient(make_app(full)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Intake is paused" in answer.text
