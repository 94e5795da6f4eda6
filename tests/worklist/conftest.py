from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from tests.db.builders import a_header, a_scored_image, an_image
from worklist.app import make_app

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def called_by_the_test_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names by which tests call the server, besides this machine's own."""
    monkeypatch.setenv("READFIRST_HOSTS", "testserver,here")


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
